//! Web servers that never end, never begin, unpack to a gigabyte, or speak no TLS.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use crate::audit::Outcome::{self, Finding, Told};
use crate::audit::audit;
use crate::world::{ADDRESS, Storm};

/// What an audit has that is to see what there is, on a slow machine, too.
const LIMIT: Duration = Duration::from_secs(30);
/// Longer than one request may take and less than all of them, so that both limits are met.
const SHORT: Duration = Duration::from_secs(12);
/// Audits at once: they wait far more than they compute.
const AT_ONCE: usize = 3;

/// A page with one fault, the same on both ports.
fn page(fault: &str) -> String {
    format!(
        "http = 'serve'\nroutes = [{{ path = '*', fault = '{fault}', headers = {{ content-type = 'text/html' }} }}]"
    )
}

fn leading_to(target: &str) -> String {
    format!("http = 'serve'\nroutes = [{{ path = '*', status = 302, redirect = '{target}' }}]")
}

/// Two hosts that send every visitor to the other.
fn circle(back: &str) -> Storm {
    Storm {
        hosts: vec!["shop"],
        records: vec![format!("shop 300 A {ADDRESS}")],
        more: format!(
            "[site.\"shop.storm.example\"]\naddresses = [\"{ADDRESS}\"]\n{}",
            leading_to(back)
        ),
        ..Storm::of(&leading_to("https://shop.storm.example{{ request.path }}"))
    }
}

type Case = (&'static str, Storm, Vec<Outcome>);

fn unseen() -> Vec<Outcome> {
    vec![Told("web-headers"), Told("web-redirects"), Told("web-caching")]
}

/// Servers that are waited for.
fn slow() -> Vec<Case> {
    vec![
        ("slow drip", Storm::of(&page("slow-drip")), unseen()),
        ("silence instead of TLS", Storm::of("fault = 'silence'"), vec![Told("tls-certificate")]),
    ]
}

fn cases() -> Vec<Case> {
    let shaken = || vec![Finding("tls-certificate", "certificate-handshake-failed")];
    vec![
        ("endless headers", Storm::of("http = 'serve'\nfault = 'endless-head'"), unseen()),
        (
            "endless body",
            Storm::of(&page("endless")),
            vec![Finding("web-headers", "csp-missing"), Told("web-caching")],
        ),
        (
            "gzip bomb",
            Storm::of(&page("gzip-bomb")),
            vec![Finding("web-headers", "csp-missing"), Told("web-caching")],
        ),
        ("garbage instead of TLS", Storm::of("fault = 'garbage'"), shaken()),
        ("hanging up instead of TLS", Storm::of("fault = 'close'"), shaken()),
        (
            "redirects in a circle across hosts",
            circle("https://storm.example{{ request.path }}"),
            vec![Finding("web-redirects", "redirect-loop"), Told("web-headers")],
        ),
        (
            "redirects across hosts that grow",
            circle("https://storm.example{{ request.path }}/again"),
            vec![Finding("web-redirects", "redirect-chain"), Told("web-headers")],
        ),
        (
            "tags without an end",
            Storm::of(&format!(
                "http = 'serve'\nroutes = [{{ path = '*', headers = {{ content-type = 'text/html' }}, body = \"{}\" }}]",
                "<a b='<!--<script><svg><![CDATA[".repeat(10_000)
            )),
            vec![Finding("web-headers", "csp-missing")],
        ),
        (
            "two megabytes of addresses of pictures",
            pictures(),
            vec![Finding("web-headers", "csp-missing")],
        ),
    ]
}

/// A page that names as many pictures as fit into what is read of it, each at another http address.
fn pictures() -> Storm {
    // Each element holds what is kept of an attribute.
    let set = |element: usize| {
        let one = |n: usize| format!("http://a.test/{element}.{n},");
        (0..800).map(one).collect::<String>()
    };
    let images = (0..).map(|element| format!("<img srcset='{}'>", set(element)));
    let mut body = String::new();
    for image in images {
        if body.len() > 2_000_000 {
            break;
        }
        body.push_str(&image);
    }
    Storm::of(&format!(
        "http = 'serve'\nroutes = [{{ path = '/', headers = {{ content-type = 'text/html' }}, body = \"{body}\" }}, {{ path = '*', status = 404 }}]"
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_web_server_that_means_harm_is_survived() {
    let slow = slow().into_iter().map(|case| (case, SHORT));
    let all = slow.chain(cases().into_iter().map(|case| (case, LIMIT)));
    let looks = all.map(async |((name, storm, outcomes), limit)| {
        let running = storm.start().await;
        let ended = audit(&running.config.write(running.folder.path()), limit).await;
        ended.holds(name, &outcomes).await;
        running.lab.stop().await;
        println!("{name}: {:?}", ended.took);
    });
    stream::iter(looks).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}
