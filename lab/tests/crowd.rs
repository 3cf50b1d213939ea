//! Every project of a crowd answers, and no other does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod client;

use std::collections::BTreeSet;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use launchready_checks::registry;
use launchready_lab::{Crowd, CrowdOptions};

use self::client::{Ask, Client, NOW};

#[tokio::test]
async fn each_project_has_names_mail_records_and_a_site_with_its_own_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let crowd = Crowd::start(30, CrowdOptions::new(NOW, dir.path())).await.unwrap();
    let resolver = crowd.resolver();
    let client = Client::trusting(dir.path());
    assert_eq!(crowd.domains().count(), 30);
    for domain in [crowd.domains().next().unwrap(), crowd.domains().last().unwrap()] {
        for (name, kind, count) in [
            (domain.clone(), RecordType::A, 1),
            (domain.clone(), RecordType::NS, 2),
            (domain.clone(), RecordType::SOA, 1),
            (domain.clone(), RecordType::MX, 1),
            (domain.clone(), RecordType::TXT, 1),
            (format!("www.{domain}"), RecordType::A, 1),
            (format!("_dmarc.{domain}"), RecordType::TXT, 1),
            (format!("mail._domainkey.{domain}"), RecordType::TXT, 1),
        ] {
            let answer = Ask::new(&format!("{name}."), kind).at(resolver).await;
            assert_eq!(answer.answers.len(), count, "{name} {kind}");
        }
        let home = client.secure(crowd.https(), &domain, "GET /", "").await.unwrap();
        assert!(home.starts_with("HTTP/1.1 200 ") && home.contains(&domain), "{home}");
        assert!(home.contains("strict-transport-security: "));
        let www = format!("www.{domain}");
        let moved = client.secure(crowd.https(), &www, "GET /a?b", "").await.unwrap();
        assert!(moved.contains(&format!("location: https://{domain}/a?b\r\n")), "{moved}");
        let plain = client.plain(crowd.http(), &domain, "GET /a", "").await;
        assert!(plain.contains(&format!("location: https://{domain}/a\r\n")), "{plain}");
    }
    let none = Ask::new("p0031.crowd.example.", RecordType::A).at(resolver).await;
    assert_eq!(none.metadata.response_code, ResponseCode::NXDomain);
    assert!(client.secure(crowd.https(), "p0031.crowd.example", "GET /", "").await.is_err());
    crowd.stop().await;
}

#[tokio::test]
async fn the_config_switches_the_named_checks_on_and_every_other_one_off() {
    let dir = tempfile::tempdir().unwrap();
    let ten = CrowdOptions::new(NOW, dir.path());
    assert_eq!(ten.checks.len(), 10);
    let two = ["mail-dmarc", "tls-protocol"].map(str::to_owned).to_vec();
    let two = CrowdOptions { checks: two, every: Duration::from_mins(1), ..ten.clone() };
    for (options, every) in [(ten, "300s"), (two, "60s")] {
        let named: BTreeSet<String> = options.checks.iter().cloned().collect();
        let crowd = Crowd::start(3, options).await.unwrap();
        let config: toml::Table = toml::from_str(&crowd.config_toml()).unwrap();
        assert_eq!(config["project"].as_array().unwrap().len(), 3);
        let checks = config["checks"].as_table().unwrap();
        for plugin in registry::ALL {
            let own = &checks[plugin.meta.id];
            let off = own.get("enabled").and_then(toml::Value::as_bool) == Some(false);
            let on = own.get("every").and_then(toml::Value::as_str) == Some(every);
            let is_named = named.contains(plugin.meta.id);
            assert!(on == is_named && off != is_named, "{}", plugin.meta.id);
        }
        assert_eq!(checks.len(), registry::ALL.len());
        crowd.stop().await;
    }
}

#[tokio::test]
async fn a_check_that_does_not_exist_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let checks = ["mail-spf", "mail-spif"].map(str::to_owned).to_vec();
    let options = CrowdOptions { checks, ..CrowdOptions::new(NOW, dir.path()) };
    let error = Crowd::start(3, options).await.unwrap_err();
    assert_eq!(error.to_string(), "no check is called mail-spif");
}
