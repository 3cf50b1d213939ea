//! The sample of the design.

use launchready::config::{parse, schema};
use serde_json::{Value, json};

/// The sample of the design, without the tables of later versions.
const DESIGN: &str = r#"
[agent]
listen = "127.0.0.1:9797"            # page, API and /metrics; anything but loopback demands auth
store = "sqlite:launchready.db"
public_url = "https://watch.harbor.example"
heartbeat_url = { env = "DEAD_MAN_URL" }
[agent.auth]
password = { env = "LAUNCHREADY_PASSWORD" }
metrics_token = { env = "LAUNCHREADY_METRICS_TOKEN" }

[network]                            # all optional
resolvers = ["127.0.0.1:5353"]       # IP or IP:port; default: the system's
extra_roots = ["lab-ca.pem"]
allow_private = true
connect_to = [{ from = "harbor.example:443", to = "127.0.0.1:8443" }]   # "*:443" matches any host

[defaults]                           # may be overridden per [[project]]
timezone = "UTC"
confirmations = 2
recoveries = 1
reminder = "4h"

[checks.mail-spf]                    # options, thresholds and schedule of a check, for all projects
void_lookups = 2
schedule = "*/10 * * * *"            # five-field cron, or every = "10m"; never below the check's min_interval

[[project]]
name = "harbor"
domain = "harbor.example"
hosts = ["www", "app", "api"]        # relative or full names
goal = "launch"
not_used = ["automation"]            # said once, so that the verdict knows it was no oversight
[project.web]
redirect_map = "redirects.csv"       # header line from,to,status; status may be empty
webhook_paths = ["https://api.harbor.example/stripe"]
oauth_paths = ["/auth/callback"]
legal_pages = ["/privacy", "/terms", "/refunds"]
[project.mail]
sends_from = ["harbor.example"]
selectors = ["resend"]
tools = ["resend", "hubspot"]
[project.checks.web-uptime]          # the same options, for this project alone
endpoints = [{ name = "checkout", url = "https://app.harbor.example/checkout", status = [200], p95 = "300ms" }]

[[channel]]
name = "founder"
kind = "email"
smtp = "smtps://smtp.harbor.example:465"      # smtp:// (plain), smtp+starttls://, smtps://
user = "alerts"
password = { env = "SMTP_PASSWORD" }
from = "launchready@harbor.example"
to = ["founder@harbor.example"]
[[channel]]
name = "ops"
kind = "slack"
url = { env = "SLACK_WEBHOOK" }
severities = ["critical", "warning"]
urgency = ["now", "day"]
quiet = "22:00-07:00"                # held until morning, except urgency now
fallback = "founder"
"#;

#[test]
fn the_sample_of_the_design_is_a_config() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lab-ca.pem"), "").unwrap();
    std::fs::write(folder.path().join("redirects.csv"), "from,to,status\n/old,/new,\n").unwrap();
    let config = parse(DESIGN, folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    let watch = &config.projects[0].watch;
    let (_, spf) = watch.schedules.iter().find(|(id, _)| *id == "mail-spf").unwrap();
    assert_eq!(spf.shortest(), std::time::Duration::from_mins(10));
    assert_eq!(config.projects[0].options_of("mail-spf"), json!({"void_lookups": 2}));
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let sample: Value = toml::from_str(DESIGN).unwrap();
    let errors: Vec<_> = validator.iter_errors(&sample).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(validator.validate(&json!({"agent": {"auth": {"password": "literal"}}})).is_err());
    assert!(
        validator
            .validate(&json!({"project": [{"name": "a", "domain": "a.example", "x": 1}]}))
            .is_err()
    );
}
