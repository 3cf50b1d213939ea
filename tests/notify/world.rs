//! What every test of a channel needs: a notification, settings, an authority, a clock, a deadline.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready::clock::Clock;
use launchready::incident::{ChangeKind, Incident, IncidentKey, Member, State};
use launchready::notify::{ChannelKind, ChannelSettings, Envelope, Notifier, NotifyError, build};
use launchready::probe::Network;
use launchready::store::{Notification, NotificationKind, Told};
use launchready_checks::contract::{Severity, Urgency};

/// What no test waits longer for.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A clock that a test sets.
#[derive(Debug, Clone)]
pub(crate) struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new("2026-11-22T07:16:00Z".parse().unwrap())))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A certificate for `localhost` and the file with the authority that signed it.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) server: Arc<rustls::ServerConfig>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut authority = rcgen::CertificateParams::default();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), root.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        Self { folder, server: Arc::new(server) }
    }

    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        vec![self.folder.path().join("ca.pem")]
    }
}

pub(crate) fn settings(kind: ChannelKind, roots: Vec<PathBuf>) -> ChannelSettings {
    ChannelSettings {
        name: "ops".to_owned(),
        kind,
        network: Network { extra_roots: roots, ..Network::default() },
        timeout: Duration::from_secs(10),
    }
}

pub(crate) fn channel(settings: &ChannelSettings) -> Arc<dyn Notifier> {
    build(settings, Arc::new(TestClock::new())).unwrap()
}

/// An opening with everything that a message shows.
pub(crate) fn notification(id: &str) -> Notification {
    let at: Timestamp = "2026-11-22T07:15:30Z".parse().unwrap();
    let member = Member {
        subject: "app.harbor.example".to_owned(),
        summary: "https://app.harbor.example/checkout answered 502; it must answer 200".to_owned(),
        evidence: vec!["502 Bad Gateway".to_owned()],
        fix: "Run `vercel rollback`.".to_owned(),
        undo: "Run `vercel promote`.".to_owned(),
        first_seen: at,
        last_seen: at,
        told: true,
    };
    let incident = Incident {
        id: "inc_00000000000000000001".to_owned(),
        key: IncidentKey {
            project: "harbor".to_owned(),
            check: "web-uptime".to_owned(),
            code: "down".to_owned(),
            target: "harbor.example".to_owned(),
        },
        state: State::Open,
        severity: Severity::Critical,
        urgency: Urgency::Now,
        title: "The site does not answer".to_owned(),
        why: "Nobody can buy.".to_owned(),
        recheck: "launchready check web-uptime --project harbor".to_owned(),
        members: BTreeMap::from([("aaaa000000000001".to_owned(), member)]),
        more_members: 0,
        first_seen: at,
        last_seen: at,
        last_good: Some("2026-11-22T07:14:00Z".parse().unwrap()),
        confirmations: 2,
        recoveries: 0,
        opened_at: Some(at),
        resolved_at: None,
        resolved_by: None,
        acknowledged: None,
        told_at: None,
        told_as: Vec::new(),
        last_told_at: None,
        escalated_at: None,
        from_start: false,
        turns: Vec::new(),
        flapping: false,
        unheard: None,
    };
    Notification {
        id: id.to_owned(),
        kind: NotificationKind::Changes,
        project: "harbor".to_owned(),
        at,
        told: vec![Told { change: 1, kind: ChangeKind::Opened, at, incident, members: Vec::new() }],
        text: None,
    }
}

pub(crate) fn envelope(id: &str) -> Envelope {
    Envelope {
        id: id.to_owned(),
        attempt: 1,
        public_url: Some("https://watch.harbor.example".to_owned()),
        timezone: "Europe/Berlin".to_owned(),
        instead_of: None,
    }
}

/// Sends one message once.
pub(crate) async fn send(channel: &Arc<dyn Notifier>) -> Result<(), NotifyError> {
    let id = "msg_0123456789abcdef0123";
    let (notification, envelope) = (notification(id), envelope(id));
    let sent = channel.send(&notification, &envelope);
    tokio::time::timeout(DEADLINE, sent).await.expect("a try ends within its limits")
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} does not come to hold");
}
