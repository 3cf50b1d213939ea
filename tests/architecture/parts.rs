//! Who may import whom, as data.

/// What one part of a crate may import.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// Parts of its own crate; `name::Item` allows this item alone.
    pub(crate) own: &'static [&'static str],
    /// Parts of `launchready_checks`.
    pub(crate) checks: &'static [&'static str],
}

/// The parts of the program. Only `cli` imports `app`, and looking is below judging.
pub(crate) const PROGRAM: &[Part] = &[
    Part {
        name: "cli",
        own: &[
            "app",
            "clock",
            "config",
            "discover",
            "drill",
            "engine",
            "files",
            "handbook",
            "incident",
            "probe",
            "report",
            "schedule::Schedule",
            "store",
            "telemetry",
        ],
        checks: &["contract", "registry"],
    },
    // The only place that builds concretes, and so the only one that knows them all.
    Part {
        name: "app",
        own: &[
            "clock", "config", "connect", "discover", "drill", "engine", "incident", "metrics",
            "notify", "probe", "report", "schedule", "store", "web",
        ],
        checks: &[
            "contract",
            "crm",
            "dns::names",
            "mail::selectors",
            "orders::Difference",
            "orders::Standing",
            "orders::minor",
            "orders::reconcile",
            "orders::references",
            "probe",
            "registry",
            "secrets::downloads",
            "suffix",
            "webhook::processing",
        ],
    },
    Part { name: "clock", own: &[], checks: &[] },
    Part {
        name: "config",
        own: &[
            "files",
            "probe",
            "incident",
            "notify::ChannelKind",
            "notify::ChannelSettings",
            "notify::SmtpSecurity",
            "schedule",
        ],
        checks: &["contract", "probe::Missing", "probe::TableRole", "registry", "suffix"],
    },
    // One file per outside system; a credential is exposed here and nowhere else.
    Part {
        name: "connect",
        own: &[
            "clock",
            "config::AccountSettings",
            "config::Secret",
            "config::SecretRef",
            "config::AutomationKind",
            "config::AutomationTable",
            "config::CrmKind",
            "config::CrmTable",
            "config::DatabaseTable",
            "config::EdgeKind",
            "config::EdgeTable",
            "config::HostingKind",
            "config::HostingTable",
            "probe::Sharers",
            "config::StripeTable",
            "config::SupabaseTable",
            "config::SupportKind",
            "config::SupportTable",
            "files",
            "postgres",
            "probe::bounded",
            "probe::fault",
        ],
        checks: &["contract", "probe"],
    },
    // The only part that changes anything outside, and only in test mode.
    Part {
        name: "drill",
        own: &["clock", "config", "connect", "probe::bounded", "probe::fault", "store"],
        checks: &["contract", "orders::Standing", "probe"],
    },
    // Pure: it is handed what was seen, and gives back text.
    Part {
        name: "discover",
        own: &[],
        checks: &[
            "document",
            "mail::providers",
            "mail::selectors",
            "stripe::RIGHTS",
            "suffix",
            "vendor",
        ],
    },
    Part {
        name: "engine",
        own: &["clock", "files", "incident", "store"],
        checks: &["contract", "probe", "registry"],
    },
    Part { name: "files", own: &[], checks: &[] },
    // Pure: pages of our own as text and HTML; who writes them to files is the command line.
    Part {
        name: "handbook",
        own: &["metrics::families", "report"],
        checks: &["contract", "registry"],
    },
    Part { name: "incident", own: &["schedule"], checks: &["contract"] },
    // How trust in a certificate is built has one home, the adapters.
    Part {
        name: "notify",
        own: &[
            "clock",
            "config::Secret",
            "incident",
            "probe::Network",
            "probe::Reach",
            "probe::RootsError",
            "probe::provider",
            "probe::roots",
            "store",
        ],
        checks: &["contract", "ops::hand_work", "registry"],
    },
    Part { name: "postgres", own: &[], checks: &[] },
    // Files are searched while they are read: no byte of them ever reaches a check.
    Part {
        name: "probe",
        own: &[
            "clock",
            "metrics::ProbeCertificate",
            "metrics::ProbeDns",
            "metrics::ProbeHttp",
            "metrics::ProbeResult",
        ],
        checks: &["contract", "probe", "secrets::detector"],
    },
    Part { name: "metrics", own: &["store", "report"], checks: &["contract", "registry"] },
    Part {
        name: "report",
        own: &[
            "clock::last_day",
            "engine::AuditRecord",
            "engine::Account",
            "engine::Handover",
            "engine::RunRecord",
            "engine::Outcome",
            "engine::judge_run",
            "incident::Incident",
            "incident::State",
            "incident::Waiver",
            "store::LatestRun",
        ],
        checks: &[
            "contract",
            "ops::hand_work",
            "registry",
            "suffix::ends_in_suffix",
            "suffix::registrable",
        ],
    },
    Part { name: "schedule", own: &[], checks: &[] },
    Part {
        name: "store",
        own: &["clock", "incident", "postgres", "schedule"],
        checks: &["contract"],
    },
    Part { name: "telemetry", own: &[], checks: &[] },
    // A page shows what is stored: it never runs a check.
    Part {
        name: "web",
        own: &[
            "clock",
            "config::Secret",
            "config::secret",
            "engine::Handover",
            "handbook::Doc",
            "incident",
            "report",
            "schedule",
            "store",
        ],
        checks: &["contract", "registry"],
    },
];

/// The parts of the checks. An area never imports another one, nor the list of all checks.
pub(crate) const CHECKS: &[Part] = &[
    Part {
        name: "contract",
        own: &["probe::AgentFault", "probe::Missing", "probe::ProbeError", "probe::Probes"],
        checks: &[],
    },
    Part { name: "probe", own: &["contract::Target"], checks: &[] },
    Part { name: "document", own: &[], checks: &[] },
    Part { name: "suffix", own: &[], checks: &[] },
    Part { name: "vendor", own: &[], checks: &[] },
    Part {
        name: "registry",
        own: &[
            "automation",
            "contract",
            "crm",
            "dns",
            "domain",
            "external",
            "mail",
            "ops",
            "orders",
            "secrets",
            "stripe",
            "supabase",
            "support",
            "tls",
            "web",
            "webhook",
        ],
        checks: &[],
    },
    Part { name: "dns", own: AREA, checks: &[] },
    Part { name: "domain", own: AREA, checks: &[] },
    Part { name: "mail", own: AREA, checks: &[] },
    Part { name: "ops", own: AREA, checks: &[] },
    Part { name: "secrets", own: AREA, checks: &[] },
    Part { name: "tls", own: AREA, checks: &[] },
    Part { name: "web", own: AREA, checks: &[] },
    Part { name: "automation", own: AREA, checks: &[] },
    Part { name: "crm", own: AREA, checks: &[] },
    Part { name: "external", own: AREA, checks: &[] },
    Part { name: "orders", own: AREA, checks: &[] },
    Part { name: "stripe", own: AREA, checks: &[] },
    Part { name: "supabase", own: AREA, checks: &[] },
    Part { name: "support", own: AREA, checks: &[] },
    Part { name: "webhook", own: AREA, checks: &[] },
];

/// What every area of checks may import.
const AREA: &[&str] = &["contract", "probe", "document", "suffix", "vendor"];
