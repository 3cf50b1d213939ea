//! A product that leads into the network of whoever audits it.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::audit::Outcome::Told;
use crate::audit::audit;
use crate::servers::{Canary, rebinding};
use crate::world::{ADDRESS, Running, Storm};

const LIMIT: Duration = Duration::from_secs(20);

fn leading_to(target: &str) -> String {
    format!("http = 'serve'\nroutes = [{{ path = '*', status = 302, redirect = '{target}' }}]")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_to_a_private_address_is_not_followed() {
    let canary = Canary::new().await;
    for target in [
        format!("http://{}/latest/meta-data/", canary.address),
        format!("http://[::ffff:127.0.0.1]:{}/", canary.address.port()),
        format!("http://inner.storm.example:{}/", canary.address.port()),
    ] {
        let Running { lab, folder, mut config } = Storm {
            records: vec!["inner 300 A 127.0.0.1".to_owned()],
            ..Storm::of(&leading_to(&target))
        }
        .start()
        .await;
        config.guard();
        let ended = audit(&config.write(folder.path()), LIMIT).await;
        ended.holds(&target, &[Told("web-headers"), Told("web-redirects")]).await;
        assert_eq!(canary.connections(), 0, "{target}");
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_bound_to_a_private_address_later_is_not_followed() {
    let canary = Canary::new().await;
    let port = canary.address.port();
    let away = leading_to(&format!("http://inner.storm.example:{port}{{{{ request.path }}}}/more"));
    let Running { lab, folder, mut config } = Storm {
        hosts: vec!["inner"],
        more: format!("[site.\"inner.storm.example\"]\naddresses = [\"{ADDRESS}\"]\n{away}"),
        ..Storm::of(&away)
    }
    .start()
    .await;
    config.guard();
    let web = lab.route(format!("{ADDRESS}:80").parse().unwrap()).unwrap();
    config.divert(&format!("{ADDRESS}:{port}"), web);
    let addresses = [ADDRESS.parse().unwrap(), Ipv4Addr::LOCALHOST];
    let resolver = rebinding(lab.resolvers()[0], "inner.storm.example", addresses).await;
    config.set("resolvers", vec![resolver.to_string()]);
    let ended = audit(&config.write(folder.path()), LIMIT).await;
    ended.holds("rebinding", &[Told("web-redirects")]).await;
    assert_eq!(canary.connections(), 0);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_mail_and_name_servers_at_private_addresses_are_not_asked() {
    let Running { lab, folder, mut config } = Storm {
        hosts: vec!["inner"],
        records: vec![
            "inner 300 A 127.0.0.1".to_owned(),
            "inner 300 A 169.254.169.254".to_owned(),
            "inner 300 AAAA ::1".to_owned(),
            "@ 300 NS inner.storm.example.".to_owned(),
            "@ 300 MX 10 inner.storm.example.".to_owned(),
        ],
        ..Storm::default()
    }
    .start()
    .await;
    config.guard();
    let ended = audit(&config.write(folder.path()), LIMIT).await;
    let told = ["tls-certificate", "web-headers", "mail-transport", "dns-resolution"].map(Told);
    ended.holds("private hosts", &told).await;
    // The same set-up is looked at once the user says that it is theirs.
    let said = ended.report.to_string();
    assert!(said.contains("private address"), "{said}");
    lab.stop().await;
}
