//! An agent that cannot look passes nothing: every check runs in worlds that answer nothing at all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use launchready_checks::contract::{
    Age, AssessInput, CheckError, HeartbeatFacts, History, MailFacts, Status, Target, WebFacts,
};
use launchready_checks::probe::{
    Accounts, AgentFault, Alerting, AlertingAnswer, Answer, Command, CommandAnswer, CommandCall,
    Dns, DnsAnswer, DnsQuestion, Figure, Figures, FileLook, Files, Folder, HeartbeatAnswer,
    Heartbeats, HelloAnswer, HelloQuestion, Http, HttpAnswer, HttpRequest, ProbeError, Probes,
    Registration, RegistrationAnswer, Reversals, Smtp, SmtpAnswer, SmtpQuestion, SourceFile,
    TargetFault, Tls, TlsAnswer, TlsQuestion, Trail, Transfer,
};
use launchready_checks::probe::{
    Charge, CheckoutSession, Destinations, EventFilter, KeyPower, Payment, PaymentAccount,
    PaymentEvent, PaymentKey, Payments, Period, Reversal, Slot, Subscription, Visit, Walked,
};
use launchready_checks::registry;
use serde_json::Value;

/// Answers every question with one fault.
#[derive(Debug, Clone)]
struct Nothing(ProbeError);

impl Nothing {
    fn fault<T: Send + 'static>(&self) -> Answer<'_, Result<T, ProbeError>> {
        let fault = self.0.clone();
        Box::pin(async move { Err(fault) })
    }
}

impl Dns for Nothing {
    fn lookup(&self, _: DnsQuestion) -> Answer<'_, Result<DnsAnswer, ProbeError>> {
        self.fault()
    }

    fn transfer(&self, _: String, _: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>> {
        self.fault()
    }

    fn resolvers(&self) -> Vec<String> {
        vec!["192.0.2.53".to_owned(), "198.51.100.53".to_owned()]
    }
}

impl Http for Nothing {
    fn send(&self, _: HttpRequest) -> Answer<'_, Result<HttpAnswer, ProbeError>> {
        self.fault()
    }
}

impl Tls for Nothing {
    fn handshake(&self, _: TlsQuestion) -> Answer<'_, Result<TlsAnswer, ProbeError>> {
        self.fault()
    }

    fn hello(&self, _: HelloQuestion) -> Answer<'_, Result<HelloAnswer, ProbeError>> {
        self.fault()
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

impl Smtp for Nothing {
    fn greet(&self, _: SmtpQuestion) -> Answer<'_, Result<SmtpAnswer, ProbeError>> {
        self.fault()
    }
}

impl Registration for Nothing {
    fn domain(&self, _: String) -> Answer<'_, Result<RegistrationAnswer, ProbeError>> {
        self.fault()
    }
}

impl Files for Nothing {
    fn walk<'a>(
        &'a self,
        _: Folder,
        _: &'a (dyn Fn(SourceFile<'_>) + Sync),
    ) -> Answer<'a, Result<FileLook, ProbeError>> {
        self.fault()
    }
}

impl Command for Nothing {
    fn run(&self, _: CommandCall) -> Answer<'_, Result<CommandAnswer, ProbeError>> {
        self.fault()
    }
}

impl Alerting for Nothing {
    fn known(&self, _: String) -> Answer<'_, Result<AlertingAnswer, ProbeError>> {
        self.fault()
    }
}

impl Heartbeats for Nothing {
    fn heard(&self, _: String) -> Answer<'_, Result<HeartbeatAnswer, ProbeError>> {
        self.fault()
    }
}

impl Figures for Nothing {
    fn figures<'a>(
        &'a self,
        _: &'a str,
        _: &'a [(&'static str, &'static str)],
    ) -> Answer<'a, Result<Vec<Figure>, ProbeError>> {
        self.fault()
    }
}

impl Trail for Nothing {
    fn charge(&self, _: String) -> Answer<'_, Result<Option<Charge>, ProbeError>> {
        self.fault()
    }

    fn refund(&self, _: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>> {
        self.fault()
    }

    fn dispute(&self, _: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>> {
        self.fault()
    }

    fn subscription(&self, _: String) -> Answer<'_, Result<Option<Subscription>, ProbeError>> {
        self.fault()
    }

    fn payments_of(&self, _: String) -> Answer<'_, Result<Vec<Payment>, ProbeError>> {
        self.fault()
    }

    fn reversals_of(&self, _: String) -> Answer<'_, Result<Reversals, ProbeError>> {
        self.fault()
    }
}

impl Payments for Nothing {
    fn key(&self) -> KeyPower {
        KeyPower { live: true, restricted: true }
    }

    fn account(&self) -> Answer<'_, Result<PaymentAccount, ProbeError>> {
        self.fault()
    }

    fn destinations(&self) -> Answer<'_, Result<Destinations, ProbeError>> {
        self.fault()
    }

    fn events<'a>(
        &'a self,
        _: EventFilter,
        _: Visit<'a, PaymentEvent>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        self.fault()
    }

    fn sessions<'a>(
        &'a self,
        _: Period,
        _: Visit<'a, CheckoutSession>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        self.fault()
    }

    fn session(&self, _: String) -> Answer<'_, Result<Option<CheckoutSession>, ProbeError>> {
        self.fault()
    }

    fn sessions_of(&self, _: PaymentKey) -> Answer<'_, Result<Vec<CheckoutSession>, ProbeError>> {
        self.fault()
    }

    fn payment(&self, _: String) -> Answer<'_, Result<Option<Payment>, ProbeError>> {
        self.fault()
    }

    fn event(&self, _: String) -> Answer<'_, Result<Option<PaymentEvent>, ProbeError>> {
        self.fault()
    }

    fn payments<'a>(
        &'a self,
        _: Period,
        _: Visit<'a, Payment>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        self.fault()
    }

    fn charges<'a>(
        &'a self,
        _: Period,
        _: Visit<'a, Charge>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        self.fault()
    }

    fn refunds<'a>(
        &'a self,
        _: Period,
        _: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        self.fault()
    }

    fn disputes<'a>(
        &'a self,
        _: Period,
        _: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        self.fault()
    }

    fn subscriptions<'a>(
        &'a self,
        _: Period,
        _: Visit<'a, Subscription>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        self.fault()
    }
}

fn probes(fault: &ProbeError) -> Probes {
    let nothing = Arc::new(Nothing(fault.clone()));
    let payments: Arc<dyn Payments> = Arc::<Nothing>::clone(&nothing);
    Probes {
        dns: Arc::<Nothing>::clone(&nothing),
        http: Arc::<Nothing>::clone(&nothing),
        tls: Arc::<Nothing>::clone(&nothing),
        smtp: Arc::<Nothing>::clone(&nothing),
        registration: Arc::<Nothing>::clone(&nothing),
        files: Arc::<Nothing>::clone(&nothing),
        command: Arc::<Nothing>::clone(&nothing),
        heartbeats: Arc::<Nothing>::clone(&nothing),
        alerting: Arc::<Nothing>::clone(&nothing),
        figures: nothing,
        accounts: Accounts { payments: Slot::ready(payments), ..Accounts::default() },
    }
}

fn target() -> Target {
    Target {
        domain: "harbor.example".to_owned(),
        hosts: vec!["app.harbor.example".to_owned(), "api.harbor.example".to_owned()],
        mail: MailFacts {
            sends_from: vec!["news.harbor.example".to_owned()],
            ..MailFacts::default()
        },
        web: WebFacts {
            webhook_paths: vec!["/api/webhooks/stripe".to_owned()],
            ..WebFacts::default()
        },
        heartbeats: vec![HeartbeatFacts {
            name: "nightly-backup".to_owned(),
            rhythm: "every 24h".to_owned(),
            grace: Age::hours(1),
            max_runtime: None,
        }],
        ..Target::default()
    }
}

#[tokio::test]
async fn a_check_that_saw_nothing_is_unknown() {
    let what = "harbor.example".to_owned();
    let faults: [(ProbeError, &[Status]); 2] = [
        (AgentFault::NoNetwork(what.clone()).into(), &[Status::Unknown, Status::Skipped]),
        // Servers that do not answer are a defect for some checks, and a pass for none.
        (
            TargetFault::TimedOut(what).into(),
            &[Status::Unknown, Status::Skipped, Status::Warn, Status::Fail],
        ),
    ];
    let mut wrong = Vec::new();
    for (fault, allowed) in &faults {
        for plugin in registry::ALL {
            let (id, target) = (plugin.meta.id, target());
            let check = (plugin.build)(&Value::Null).unwrap();
            let looked = check.collect(Timestamp::UNIX_EPOCH, None, &target, &probes(fault)).await;
            let status = match looked {
                Err(CheckError::Unknown { .. }) => Status::Unknown,
                Err(CheckError::Skipped { .. }) => Status::Skipped,
                Ok(looked) => {
                    let input = AssessInput {
                        now: Timestamp::UNIX_EPOCH,
                        target: &target,
                        previous: None,
                        history: &History::default(),
                        baseline: None,
                    };
                    check.assess(&looked.evidence, &input).unwrap().status()
                }
            };
            if !allowed.contains(&status) {
                wrong.push(format!("{id} is {} although {fault:?}", status.as_str()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
