//! A real Alertmanager takes the alerts, shows them, and lets them go.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use launchready::incident::{ChangeKind, State};
use launchready::notify::ChannelKind;
use launchready_checks::contract::Severity;
use serde_json::Value;

use crate::world::{DEADLINE, channel, envelope, notification, settings};

/// Debian's name of the program.
const PROGRAM: &str = "prometheus-alertmanager";

/// The program with its folder; it ends with this value.
struct Alertmanager {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Alertmanager {
    /// None, said aloud, where the program is missing and need not be there.
    async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        std::fs::write(&config, "route:\n  receiver: nobody\nreceivers:\n- name: nobody\n")
            .unwrap();
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let child = Command::new(PROGRAM)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            #[allow(
                clippy::disallowed_methods,
                reason = "the runner says what must not be skipped"
            )]
            let strict = std::env::var("LAUNCHREADY_TEST_REQUIRE").is_ok_and(|all| all == "all");
            assert!(!strict, "{PROGRAM} is missing");
            println!("SKIPPED a real Alertmanager: {PROGRAM} is missing");
            return None;
        };
        let started = Self { child, url: format!("http://127.0.0.1:{port}"), _folder: folder };
        let ready = async {
            while started.alerts().await.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ready).await.expect("Alertmanager answers");
        Some(started)
    }

    /// The alerts that burn, by severity.
    async fn alerts(&self) -> Option<Vec<Value>> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let config = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(config).build().unwrap();
        let answer = client.get(format!("{}/api/v2/alerts", self.url)).send().await.ok()?;
        let body = answer.error_for_status().ok()?.bytes().await.ok()?;
        serde_json::from_slice(&body).ok()
    }
}

#[tokio::test]
async fn an_incident_burns_gets_worse_and_ends_in_a_real_alertmanager() {
    let Some(server) = Alertmanager::start().await else { return };
    let kind = ChannelKind::Alertmanager { url: server.url.clone(), token: None };
    let channel = channel(&settings(kind, Vec::new()));
    // Its clock is that of the machine, so the incident is moved to about the present.
    #[allow(clippy::disallowed_methods, reason = "the program's clock is that of the machine")]
    let now = jiff::Timestamp::now();
    let mut told = notification("msg_a");
    told.at = now;
    {
        let change = &mut told.told[0];
        change.at = now;
        change.incident.first_seen = now.checked_sub(jiff::SignedDuration::from_mins(5)).unwrap();
        change.incident.severity = Severity::Warning;
    }
    let severities = |alerts: Vec<Value>| -> Vec<String> {
        alerts
            .iter()
            .map(|alert| alert["labels"]["severity"].as_str().unwrap().to_owned())
            .collect()
    };
    let shown = async |wanted: &[&str]| {
        let waited = tokio::time::timeout(DEADLINE, async {
            loop {
                let alerts = server.alerts().await.unwrap();
                if severities(alerts.clone()) == wanted {
                    return alerts;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        waited.await.unwrap_or_else(|_late| panic!("{wanted:?} are not shown"))
    };
    channel.send(&told, &envelope("msg_a")).await.unwrap();
    let alerts = shown(&["warning"]).await;
    assert_eq!(alerts[0]["labels"]["check"], "web-uptime");
    assert!(alerts[0]["annotations"]["fix"].as_str().unwrap().contains("vercel rollback"));
    assert!(alerts[0]["generatorURL"].as_str().unwrap().ends_with("/inc_00000000000000000001"));
    told.told[0].kind = ChangeKind::Worsened;
    told.told[0].incident.severity = Severity::Critical;
    channel.send(&told, &envelope("msg_b")).await.unwrap();
    shown(&["critical"]).await;
    told.told[0].kind = ChangeKind::Resolved;
    told.told[0].incident.state = State::Resolved;
    told.told[0].incident.resolved_at = Some(now);
    channel.send(&told, &envelope("msg_c")).await.unwrap();
    shown(&[]).await;
}
