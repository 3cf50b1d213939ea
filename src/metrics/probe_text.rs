//! The answer to one `/probe`, in the metric names of `blackbox_exporter`, so that dashboards and rules
//! that were written for it go on working.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use super::text::{label, number};

/// What one probe saw. An adapter fills it; what it could not see is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProbeResult {
    /// All that the module asks for is right.
    pub success: bool,
    /// From beginning to end.
    pub duration: Duration,
    /// Why it failed, as a sentence without a full stop; never exported, for the log of the agent.
    pub failure: Option<String>,
    /// How long finding the address took.
    pub lookup: Option<Duration>,
    /// The address that was asked.
    pub address: Option<IpAddr>,
    /// What a web server answered.
    pub http: Option<ProbeHttp>,
    /// The certificate of the last connection, with the version of its protocol.
    pub tls: Option<ProbeCertificate>,
    /// What a name server answered.
    pub dns: Option<ProbeDns>,
    /// The module can fail by what it reads, and did not.
    pub reads: bool,
}

/// How long each phase of a web request took, summed over redirects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProbePhases {
    /// Finding the address.
    pub resolve: Duration,
    /// Opening the connection.
    pub connect: Duration,
    /// Shaking hands.
    pub tls: Duration,
    /// From the request to the head of the answer.
    pub processing: Duration,
    /// From the head to the last byte.
    pub transfer: Duration,
}

/// What a web server answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProbeHttp {
    /// The status of the last answer; 0 without one.
    pub status: u16,
    /// The version of the protocol, 1.1 or 1.0.
    pub version: f64,
    /// Redirects that were followed.
    pub redirects: u32,
    /// The last request went over TLS.
    pub tls: bool,
    /// The length that the head names.
    pub content_length: Option<u64>,
    /// Bytes of body that came.
    pub body_length: u64,
    /// When the page was last changed, in Unix seconds.
    pub last_modified: Option<i64>,
    /// How long each phase took.
    pub phases: ProbePhases,
}

/// The certificate that a server showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeCertificate {
    /// `TLS 1.2` or `TLS 1.3`.
    pub version: String,
    /// When the first of the chain runs out, in Unix seconds.
    pub earliest_expiry: i64,
    /// When the chain that a browser builds runs out; absent where it trusts none.
    pub chain_expiry: Option<i64>,
    /// SHA-256 of the leaf, hexadecimal.
    pub fingerprint: String,
    /// The holder.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The names that it is for, with commas between them.
    pub names: String,
}

/// What a name server answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProbeDns {
    /// An answer came, whatever its code.
    pub answered: bool,
    /// Records of the answer section.
    pub answer: usize,
    /// Records of the authority section.
    pub authority: usize,
    /// Records of the additional section.
    pub additional: usize,
    /// Finding the address of the server.
    pub resolve: Duration,
    /// Opening the socket.
    pub connect: Duration,
    /// From the question to the answer.
    pub request: Duration,
}

/// The names and sentences, by name.
const FAMILIES: &[(&str, &str)] = &[
    ("probe_dns_additional_rrs", "Records in the additional section of the answer."),
    ("probe_dns_answer_rrs", "Records in the answer section."),
    ("probe_dns_authority_rrs", "Records in the authority section of the answer."),
    ("probe_dns_duration_seconds", "How long each phase of the question took."),
    ("probe_dns_lookup_time_seconds", "How long finding the address of the target took."),
    ("probe_dns_query_succeeded", "Whether the name server answered, whatever its answer."),
    ("probe_duration_seconds", "How long the probe took."),
    ("probe_failed_due_to_regex", "Whether the probe failed by what it read."),
    (
        "probe_http_content_length",
        "The length that the head of the answer names; -1 where it names none.",
    ),
    (
        "probe_http_duration_seconds",
        "How long each phase of the request took, summed over redirects.",
    ),
    (
        "probe_http_last_modified_timestamp_seconds",
        "When the page was last changed, in Unix seconds.",
    ),
    ("probe_http_redirects", "Redirects that were followed."),
    ("probe_http_ssl", "Whether the last request went over TLS."),
    ("probe_http_status_code", "The status code of the last answer; 0 without one."),
    ("probe_http_uncompressed_body_length", "Bytes of body that were read."),
    ("probe_http_version", "The version of HTTP of the last answer."),
    ("probe_ip_addr_hash", "A hash of the address that was asked, to see that it changes."),
    ("probe_ip_protocol", "Whether the target was asked over IPv4 (4) or IPv6 (6)."),
    (
        "probe_ssl_earliest_cert_expiry",
        "When the first certificate of the chain runs out, in Unix seconds.",
    ),
    (
        "probe_ssl_last_chain_expiry_timestamp_seconds",
        "When the trusted chain runs out, in Unix seconds.",
    ),
    ("probe_ssl_last_chain_info", "The certificate of the target."),
    ("probe_success", "Whether the target answers as the module wants: 1 or 0."),
    ("probe_tls_version_info", "The version of TLS that was spoken."),
];

/// The names that a probe can have, for the tests of rules and dashboards.
pub fn probe_families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|(name, _)| *name)
}

/// The exposition of one probe.
pub fn probe_text(result: &ProbeResult) -> String {
    let mut page = Page(String::with_capacity(4096));
    for (name, help) in FAMILIES {
        page.family(name, help, result);
    }
    page.0
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str) {
        for part in ["# HELP ", name, " ", help, "\n# TYPE ", name, " gauge\n"] {
            self.0.push_str(part);
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let start = self.0.len();
        self.0.push_str(name);
        for (place, (name, value)) in labels.iter().enumerate() {
            self.0.push(if place == 0 { '{' } else { ',' });
            label(&mut self.0, name, value);
        }
        self.0.push_str(if labels.is_empty() { " " } else { "} " });
        if number(&mut self.0, value) {
            self.0.push('\n');
        } else {
            self.0.truncate(start);
        }
    }

    fn phases(&mut self, name: &str, help: &str, phases: &[(&str, Duration)]) {
        self.head(name, help);
        for (phase, took) in phases {
            self.sample(name, &[("phase", phase)], took.as_secs_f64());
        }
    }

    fn family(&mut self, name: &'static str, help: &str, result: &ProbeResult) {
        let flag = |is: bool| Some(f64::from(u8::from(is)));
        let (http, tls, dns) = (result.http.as_ref(), result.tls.as_ref(), result.dns.as_ref());
        let value = match name {
            "probe_success" => flag(result.success),
            "probe_duration_seconds" => Some(result.duration.as_secs_f64()),
            "probe_dns_lookup_time_seconds" => {
                Some(result.lookup.unwrap_or_default().as_secs_f64())
            }
            "probe_failed_due_to_regex" if result.reads => Some(0.0),
            "probe_ip_protocol" => {
                Some(result.address.map_or(0.0, |a| if a.is_ipv4() { 4.0 } else { 6.0 }))
            }
            "probe_ip_addr_hash" => Some(f64::from(result.address.map_or(0, address_hash))),
            "probe_dns_answer_rrs" => dns.map(|dns| dns.answer as f64),
            "probe_dns_authority_rrs" => dns.map(|dns| dns.authority as f64),
            "probe_dns_additional_rrs" => dns.map(|dns| dns.additional as f64),
            "probe_dns_query_succeeded" => dns.and_then(|dns| flag(dns.answered)),
            "probe_http_status_code" => http.map(|http| f64::from(http.status)),
            "probe_http_version" => http.map(|http| http.version),
            "probe_http_redirects" => http.map(|http| f64::from(http.redirects)),
            "probe_http_ssl" => http.and_then(|http| flag(http.tls)),
            "probe_http_content_length" => {
                http.map(|http| http.content_length.map_or(-1.0, |length| length as f64))
            }
            "probe_http_uncompressed_body_length" => http.map(|http| http.body_length as f64),
            "probe_http_last_modified_timestamp_seconds" => {
                http.and_then(|http| http.last_modified).map(|at| at as f64)
            }
            "probe_ssl_earliest_cert_expiry" => tls.map(|tls| tls.earliest_expiry as f64),
            "probe_ssl_last_chain_expiry_timestamp_seconds" => {
                tls.and_then(|tls| tls.chain_expiry).map(|at| at as f64)
            }
            _ => None,
        };
        if let Some(value) = value {
            return self.gauge(name, help, value);
        }
        match (name, http, tls, dns) {
            ("probe_http_duration_seconds", Some(http), _, _) => {
                let ProbePhases { resolve, connect, tls, processing, transfer } = http.phases;
                let phases = [
                    ("connect", connect),
                    ("processing", processing),
                    ("resolve", resolve),
                    ("tls", tls),
                    ("transfer", transfer),
                ];
                self.phases(name, help, &phases);
            }
            ("probe_dns_duration_seconds", _, _, Some(dns)) => {
                let phases =
                    [("connect", dns.connect), ("request", dns.request), ("resolve", dns.resolve)];
                self.phases(name, help, &phases);
            }
            ("probe_tls_version_info", _, Some(tls), _) => {
                self.head(name, help);
                self.sample(name, &[("version", &tls.version)], 1.0);
            }
            ("probe_ssl_last_chain_info", _, Some(tls), _) => {
                self.head(name, help);
                let labels = [
                    ("fingerprint_sha256", tls.fingerprint.as_str()),
                    ("issuer", &tls.issuer),
                    ("subject", &tls.subject),
                    ("subjectalternative", &tls.names),
                ];
                self.sample(name, &labels, 1.0);
            }
            _ => {}
        }
    }
}

/// FNV-1a with 32 bits over the bytes of the address: what `blackbox_exporter` exports for it.
fn address_hash(address: IpAddr) -> u32 {
    let fold = |bytes: &[u8]| {
        bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        })
    };
    match address {
        IpAddr::V4(v4) => fold(&v4.octets()),
        IpAddr::V6(v6) => fold(&v6.octets()),
    }
}

impl ProbeResult {
    /// A line for the log: what failed.
    pub fn in_short(&self, module: &str, target: &str) -> String {
        let mut line = format!("{module} {target}: ");
        match &self.failure {
            Some(failure) => line.push_str(failure),
            None => _ = write!(line, "right after {:?}", self.duration),
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_the_hash_is_that_of_the_other_exporter() {
        assert!(FAMILIES.is_sorted_by(|a, b| a.0 < b.0));
        // Seen from blackbox_exporter 0.23.0 for a target at 127.0.0.1.
        assert_eq!(address_hash(IpAddr::from([127, 0, 0, 1])), 3_668_918_509);
    }

    #[test]
    fn a_probe_that_saw_nothing_still_says_so() {
        let text = probe_text(&ProbeResult::default());
        for line in ["probe_success 0", "probe_duration_seconds 0", "probe_ip_protocol 0"] {
            assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
        }
        assert!(!text.contains("probe_http") && !text.contains("probe_ssl"), "{text}");
    }
}
