//! Probes on request against the servers of the lab.

use std::sync::Arc;
use std::time::Duration;

use launchready::clock::{Clock as _, SystemClock};
use launchready::config::parse;
use launchready::metrics::{ProbeResult, probe_text};
use launchready::probe::{
    Blackbox, Dialer, DnsProbe, Judge, Network, ProbeDenied, ProbeTargets, provider, roots,
};
use launchready_lab::{Lab, LabOptions, World};

use super::sample::{Sample, samples};

const LIMIT: Duration = Duration::from_secs(10);

fn blackbox(network: &Network, targets: ProbeTargets) -> Blackbox {
    let dialer = Arc::new(Dialer::new(network));
    let dns = Arc::new(DnsProbe::new(network, Arc::clone(&dialer)));
    let roots = roots(&network.extra_roots).unwrap();
    let judge = Arc::new(Judge::new(roots, Arc::new(provider())));
    Blackbox::new(network, dns, dialer, judge, Arc::new(SystemClock), targets).unwrap()
}

struct Shop {
    lab: Lab,
    _folder: tempfile::TempDir,
    domain: String,
    blackbox: Blackbox,
}

async fn shop(world: World) -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions {
        now: SystemClock.now(),
        delay: Duration::ZERO,
        speed: 1.0,
        dir: folder.path().to_owned(),
    };
    let lab = Lab::start(&world, options).await.unwrap();
    let config = parse(&lab.config_toml(), folder.path()).unwrap();
    let domain = config.projects.first().unwrap().target.domain.clone();
    let targets = ProbeTargets {
        hosts: vec![domain.clone(), format!("www.{domain}"), format!("app.{domain}")],
        extra: lab.resolvers().iter().map(ToString::to_string).collect(),
        dns_name: Some(domain.clone()),
    };
    let blackbox = blackbox(&config.network, targets);
    Shop { lab, _folder: folder, domain, blackbox }
}

fn value<'a>(all: &'a [Sample], name: &str) -> Option<&'a str> {
    all.iter().find(|sample| sample.0 == name).map(|sample| sample.2.as_str())
}

fn exported(result: &ProbeResult) -> Vec<Sample> {
    samples(&probe_text(result))
}

#[tokio::test]
async fn a_sound_shop_answers_every_module() {
    let shop = shop(World::load("healthy").unwrap()).await;
    let domain = &shop.domain;
    let resolver = shop.lab.resolvers()[0].to_string();
    // Plain HTTP leads to the site, one hop at a time.
    let result =
        shop.blackbox.probe("http_2xx", &format!("http://{domain}/"), LIMIT).await.unwrap();
    assert_eq!(result.failure, None);
    let all = exported(&result);
    for (name, wanted) in [
        ("probe_success", "1"),
        ("probe_http_ssl", "1"),
        ("probe_http_status_code", "200"),
        ("probe_http_version", "1.1"),
        ("probe_ip_protocol", "4"),
        ("probe_failed_due_to_regex", "0"),
        ("probe_tls_version_info", "1"),
    ] {
        assert_eq!(value(&all, name), Some(wanted), "{name}");
    }
    assert_ne!(value(&all, "probe_http_redirects"), Some("0"));
    let phases = all.iter().filter(|sample| sample.0 == "probe_http_duration_seconds").count();
    assert_eq!(phases, 5);
    let now = SystemClock.now().as_second() as f64;
    let expiry = |name| value(&all, name).unwrap().parse::<f64>().unwrap();
    assert!(expiry("probe_ssl_earliest_cert_expiry") > now);
    assert!(expiry("probe_ssl_last_chain_expiry_timestamp_seconds") > now);

    for target in [format!("{domain}:443"), domain.clone()] {
        let result = shop.blackbox.probe("tcp_tls", &target, LIMIT).await.unwrap();
        assert!(result.success, "{target}: {:?}", result.failure);
        assert!(value(&exported(&result), "probe_ssl_earliest_cert_expiry").is_some());
    }
    for target in [resolver.clone(), format!("{resolver}/www.{domain}")] {
        let result = shop.blackbox.probe("dns_a", &target, LIMIT).await.unwrap();
        assert!(result.success, "{target}: {:?}", result.failure);
        let all = exported(&result);
        assert_eq!(value(&all, "probe_dns_query_succeeded"), Some("1"));
        assert_ne!(value(&all, "probe_dns_answer_rrs"), Some("0"));
    }
    let nowhere = format!("{resolver}/nothing-here.{domain}");
    let result = shop.blackbox.probe("dns_a", &nowhere, LIMIT).await.unwrap();
    assert!(!result.success, "a name that does not exist");
    assert_eq!(value(&exported(&result), "probe_dns_query_succeeded"), Some("1"));
    shop.lab.stop().await;
}

#[tokio::test]
async fn what_is_not_listed_is_refused_and_what_fails_is_a_result() {
    let shop = shop(World::load("healthy").unwrap()).await;
    let domain = &shop.domain;
    let refused = async |module: &str, target: &str| {
        shop.blackbox.probe(module, target, LIMIT).await.unwrap_err()
    };
    let other = refused("http_2xx", "https://other.example/").await;
    assert!(matches!(other, ProbeDenied::NotListed(_)), "{other}");
    assert!(matches!(refused("icmp", domain).await, ProbeDenied::Module(_)));
    let missing = format!("https://www.{domain}/this-page-is-missing");
    let result = shop.blackbox.probe("http_2xx", &missing, LIMIT).await.unwrap();
    assert!(!result.success);
    let all = exported(&result);
    assert_eq!(
        (value(&all, "probe_success"), value(&all, "probe_http_ssl")),
        (Some("0"), Some("1"))
    );
    // Nothing listens where everything else of the lab leads.
    let closed = format!("{domain}:9");
    let result = shop.blackbox.probe("tcp_tls", &closed, LIMIT).await.unwrap();
    assert!(!result.success && result.failure.is_some());
    shop.lab.stop().await;
}

#[tokio::test]
async fn a_private_address_is_refused_unless_the_config_names_it() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let probe = async |targets: ProbeTargets, target: &str| {
        let blackbox = blackbox(&Network::default(), targets);
        let limit = Duration::from_millis(300);
        blackbox.probe("tcp_tls", target, limit).await.unwrap().failure.unwrap_or_default()
    };
    let listed = ProbeTargets { extra: vec![address.to_string()], ..ProbeTargets::default() };
    let of_project =
        ProbeTargets { hosts: vec!["127.0.0.1".to_owned()], ..ProbeTargets::default() };
    let target = address.to_string();
    let guarded = probe(of_project, &target).await;
    assert!(guarded.contains("private address"), "{guarded}");
    // It is let through, and the server that never answers is what fails.
    let open = probe(listed, &target).await;
    assert!(open.contains("in time"), "{open}");
}
