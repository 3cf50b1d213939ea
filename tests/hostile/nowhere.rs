//! Names that do not resolve, and resolvers that do not answer.

use std::time::Duration;

use crate::audit::Outcome::{Finding, Told};
use crate::audit::audit;
use crate::servers::resolver;
use crate::world::{Running, Storm};

const LIMIT: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_do_not_resolve_are_no_go_in_time() {
    let Running { lab, folder, mut config } = Storm::default().start().await;
    config.project("domain", "calm.example");
    config.project("hosts", vec!["www", "app", "api"]);
    let ended = audit(&config.write(folder.path()), LIMIT).await;
    let outcomes = [
        Finding("dns-resolution", "dns-host-unresolvable"),
        Finding("domain-registration", "registration-missing"),
        Told("tls-certificate"),
    ];
    ended.holds("names that do not resolve", &outcomes).await;
    assert_eq!(ended.report["verdict"], "no_go");
    // An answer that says no is waited for by nobody: no check is cut off by the limit, whether it found something or
    // could not look.
    for check in ended.report["checks"].as_array().unwrap() {
        assert!(!check.to_string().contains("the time limit came first"), "{check:#}");
    }
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resolvers_that_say_nothing_or_nonsense_leave_everything_unknown() {
    let silent = resolver(|_question| None).await;
    let garbage = resolver(|question| Some([&question[..2], &[0xff; 40]].concat())).await;
    let echo = resolver(|question| Some(question.to_vec())).await;
    let other = resolver(|question| Some([&[!question[0]], &question[1..]].concat())).await;
    for (name, address) in
        [("silent", silent), ("garbage", garbage), ("echo", echo), ("other", other)]
    {
        let Running { lab, folder, mut config } = Storm::default().start().await;
        config.set("resolvers", vec![address.to_string()]);
        let told = ["dns-resolution", "mail-spf", "tls-certificate", "web-headers"].map(Told);
        let ended = audit(&config.write(folder.path()), LIMIT).await;
        ended.holds(name, &told).await;
        assert_eq!(ended.report["verdict"], "no_go", "{name}");
        // The resolver is this machine's own: nothing of it is a defect of the product.
        for check in
            ["dns-resolution", "mail-spf", "mail-dmarc", "tls-certificate", "web-redirects"]
        {
            assert!(ended.codes(check).is_empty(), "{name}: {:#}", ended.check(check));
        }
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_off_is_not_blamed_on_the_product() {
    let route = "http = 'serve'\nroutes = [{ path = '*', headers = { date = 'Mon, 01 Jan 2001 00:00:00 GMT' } }]";
    let Running { lab, folder, config } = Storm::of(route).start().await;
    let ended = audit(&config.write(folder.path()), LIMIT).await;
    let told = ["tls-certificate", "domain-registration"].map(Told);
    ended.holds("a clock that is off", &told).await;
    for check in ["tls-certificate", "domain-registration"] {
        assert!(ended.codes(check).is_empty(), "{:#}", ended.check(check));
    }
    let said = ended.report["verdict_reasons"].to_string();
    assert!(
        said.contains("what depends on the time") && said.contains("ahead of what web servers say"),
        "{said}"
    );
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_in_front_of_the_network_is_not_blamed_on_the_product() {
    let route = "http = 'serve'\nroutes = [{ path = '*', status = 511 }]";
    let Running { lab, folder, config } = Storm::of(route).start().await;
    let ended = audit(&config.write(folder.path()), LIMIT).await;
    let web = ["web-headers", "web-redirects", "web-caching", "web-uptime", "web-pages"];
    ended.holds("a portal", &web.map(Told)).await;
    for check in web {
        assert!(ended.codes(check).is_empty(), "{:#}", ended.check(check));
    }
    assert_eq!(ended.report["verdict"], "no_go");
    lab.stop().await;
}
