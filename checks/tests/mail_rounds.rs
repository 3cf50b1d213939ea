//! Counts round trips: the mail checks ask everything that they can ask at once, at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use launchready_checks::contract::{MailFacts, Target};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::probe::{
    Answer, Dns, DnsAnswer, DnsQuestion, ProbeError, Probes, Transfer,
};
use launchready_checks::registry;

/// Answers each question only when the caller comes back for it a second time.
#[derive(Debug)]
struct OneTripEach(Arc<dyn Dns>);

impl Dns for OneTripEach {
    fn lookup(&self, question: DnsQuestion) -> Answer<'_, Result<DnsAnswer, ProbeError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.lookup(question).await
        })
    }

    fn transfer(&self, zone: String, server: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>> {
        self.0.transfer(zone, server)
    }

    fn resolvers(&self) -> Vec<String> {
        self.0.resolvers()
    }
}

/// How many times a look has to wait for the network.
fn trips(id: &str, dns: &str) -> usize {
    let now = Timestamp::UNIX_EPOCH;
    let world = World { dns: dns.to_owned(), ..World::default() };
    let replay = Replay::new(world, now).unwrap().probes();
    let probes = Probes { dns: Arc::new(OneTripEach(Arc::clone(&replay.dns))), ..replay };
    let target = Target {
        domain: "harbor.example".to_owned(),
        hosts: vec!["app.harbor.example".to_owned(), "api.harbor.example".to_owned()],
        mail: MailFacts {
            tools: vec!["resend".to_owned(), "hubspot".to_owned()],
            selectors: vec!["s2026".to_owned()],
            ..MailFacts::default()
        },
        ..Target::default()
    };
    let check = (registry::find(id).unwrap().build)(&serde_json::Value::Null).unwrap();
    let mut look = pin!(check.collect(now, None, &target, &probes));
    let mut context = Context::from_waker(Waker::noop());
    for trips in 0..100 {
        if let Poll::Ready(looked) = look.as_mut().poll(&mut context) {
            looked.unwrap();
            return trips;
        }
    }
    panic!("{id} does not come to an end")
}

const TREE: &str = "
harbor.example 300 MX 1 smtp.google.com
harbor.example 300 TXT \"v=spf1 a mx include:a.test include:b.test include:c.test ~all\"
a.test 300 TXT \"v=spf1 include:d.test a:mail.a.test -all\"
b.test 300 TXT \"v=spf1 include:e.test mx -all\"
c.test 300 TXT \"v=spf1 exists:x.c.test -all\"
d.test 300 TXT \"v=spf1 ip4:192.0.2.0/24 -all\"
e.test 300 TXT \"v=spf1 ip4:192.0.2.0/24 -all\"
";

#[test]
fn spf_takes_as_many_round_trips_as_its_includes_are_deep() {
    assert_eq!(trips("mail-spf", TREE), 3);
}

#[test]
fn dkim_takes_two_round_trips() {
    assert_eq!(trips("mail-dkim", TREE), 2);
}
