//! Keeps what a written-down world has answered, each question once and in order.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use launchready_checks::probe::{
    Answer, Dns, DnsAnswer, DnsQuestion, Http, HttpAnswer, HttpRequest, ProbeError, Probes,
    RecordType, Transfer, txt_strings,
};

/// Ports that answer as others do, and keep it.
pub(super) struct Tape {
    dns: Arc<dyn Dns>,
    http: Arc<dyn Http>,
    names: Mutex<Vec<(String, Option<DnsAnswer>)>>,
    answers: Mutex<Vec<(String, Option<HttpAnswer>)>>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape").finish_non_exhaustive()
    }
}

impl Tape {
    /// Puts a tape between a check and its ports.
    pub(super) fn around(mut probes: Probes) -> (Arc<Self>, Probes) {
        let tape = Arc::new(Self {
            dns: Arc::clone(&probes.dns),
            http: Arc::clone(&probes.http),
            names: Mutex::default(),
            answers: Mutex::default(),
        });
        probes.dns = Arc::<Self>::clone(&tape);
        probes.http = Arc::<Self>::clone(&tape);
        (tape, probes)
    }

    /// The TXT records, a line for each name.
    pub(super) fn texts(&self) -> Vec<u8> {
        let names = self.names.lock().unwrap();
        let line = |answer: &Option<DnsAnswer>| -> Vec<u8> {
            let records = answer.as_ref().map(txt_strings).unwrap_or_default();
            let bytes = |record: &[String]| -> Vec<u8> {
                let joined = record.join("\u{b}");
                joined.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()
            };
            records.into_iter().map(bytes).collect::<Vec<_>>().join(&b'\t')
        };
        names.iter().map(|(_, answer)| line(answer)).collect::<Vec<_>>().join(&b'\n')
    }

    /// The answers of web servers.
    pub(super) fn pages(&self) -> Vec<u8> {
        let answers = self.answers.lock().unwrap();
        let page = |answer: &Option<HttpAnswer>| -> Vec<u8> {
            let Some(answer) = answer else { return b"100\n".to_vec() };
            let mut page = format!("{}\n", answer.status);
            for (name, value) in &answer.headers {
                _ = writeln!(page, "{name}: {value}");
            }
            page.push('\n');
            [page.as_bytes(), short(&answer.body)].concat()
        };
        answers.iter().map(|(_, answer)| page(answer)).collect::<Vec<_>>().join(&0x1e)
    }

    /// The bodies of what web servers answered.
    pub(super) fn bodies(&self) -> Vec<u8> {
        let answers = self.answers.lock().unwrap();
        let bodies = answers.iter().filter_map(|(_, answer)| answer.as_ref());
        bodies.map(|answer| short(&answer.body)).collect::<Vec<_>>().concat()
    }
}

/// The beginning: what is longer is filled up with blanks in the cases.
fn short(body: &[u8]) -> &[u8] {
    &body[..body.len().min(4096)]
}

impl Dns for Tape {
    fn lookup(&self, question: DnsQuestion) -> Answer<'_, Result<DnsAnswer, ProbeError>> {
        Box::pin(async move {
            let name = question.name.clone();
            let is_text = question.kind == RecordType::Txt;
            let answer = self.dns.lookup(question).await;
            let mut names = self.names.lock().unwrap();
            if is_text && !names.iter().any(|(known, _)| *known == name) {
                names.push((name, answer.clone().ok()));
            }
            answer
        })
    }

    fn transfer(&self, zone: String, server: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>> {
        self.dns.transfer(zone, server)
    }

    fn resolvers(&self) -> Vec<String> {
        self.dns.resolvers()
    }
}

impl Http for Tape {
    fn send(&self, request: HttpRequest) -> Answer<'_, Result<HttpAnswer, ProbeError>> {
        Box::pin(async move {
            let question = format!("{:?} {} {:?}", request.method, request.url, request.headers);
            let answer = self.http.send(request).await;
            let mut answers = self.answers.lock().unwrap();
            if !answers.iter().any(|(known, _)| *known == question) {
                answers.push((question, answer.clone().ok()));
            }
            answer
        })
    }
}
