//! A world that answers whatever is asked with the next part of the input.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::probe::{
    Answer, Dns, DnsAnswer, DnsData, DnsQuestion, DnsRecord, Http, HttpAnswer, HttpRequest,
    ProbeError, Probes, Rcode, RecordType, TargetFault, Timings, Transfer, Trust,
};

/// Between two answers of one kind.
pub(super) const NEXT: u8 = 0x1e;
/// Between the records of one DNS answer.
const RECORD: u8 = b'\t';
/// Between the strings of one record.
const STRING: u8 = 0x0b;

/// The time of every world.
pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_795_424_400).unwrap_or_default()
}

/// The parts of an input that stand between bytes of one value, at most `most` of them.
pub(super) fn parts(data: &[u8], between: u8, most: usize) -> Vec<&[u8]> {
    data.split(|byte| *byte == between).take(most).collect()
}

/// Bytes one by one as U+0000 to U+00FF, as the adapter of the DNS port keeps them.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Counts questions: the first of its kind is 0, the same one has the same number again.
#[derive(Debug, Default)]
struct Numbers(Mutex<BTreeMap<String, usize>>);

impl Numbers {
    fn of(&self, question: String) -> usize {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = known.len();
        *known.entry(question).or_insert(next)
    }
}

/// What name servers say.
#[derive(Debug, Default)]
pub(super) enum Names {
    /// Each name has an address and a mail server, and the TXT records of the next part.
    Texts(Vec<Vec<Vec<String>>>),
    /// Each question is answered with the next message.
    Messages(Vec<DnsAnswer>),
    /// Each name has an address.
    #[default]
    Plain,
}

impl Names {
    /// Names with the TXT records of the lines of an input.
    pub(super) fn texts(data: &[u8]) -> Self {
        let strings = |record: &[u8]| -> Vec<String> {
            // A string of the wire has 255 bytes at most.
            let strings = record.split(|byte| *byte == STRING);
            strings.flat_map(|string| string.chunks(255)).map(latin).collect()
        };
        let records = |line: &[u8]| -> Vec<Vec<String>> {
            line.split(|byte| *byte == RECORD).filter(|one| !one.is_empty()).map(strings).collect()
        };
        Self::Texts(parts(data, b'\n', 64).into_iter().map(records).collect())
    }
}

/// The DNS port.
#[derive(Debug)]
struct Resolver {
    names: Names,
    numbers: Numbers,
}

impl Resolver {
    fn answer(&self, question: &DnsQuestion) -> DnsAnswer {
        let name = question.name.clone();
        let of = |rcode, data: Vec<DnsData>| DnsAnswer {
            rcode,
            authoritative: false,
            authenticated: false,
            answers: data
                .into_iter()
                .map(|data| DnsRecord { name: name.clone(), ttl: 300, data })
                .collect(),
            authority: Vec::new(),
        };
        let address = || vec![DnsData::A(Ipv4Addr::new(192, 0, 2, 10))];
        match (&self.names, question.kind) {
            (Names::Messages(messages), _) => {
                let number = self.numbers.of(format!("{question:?}"));
                messages.get(number).cloned().unwrap_or_else(|| of(Rcode::NxDomain, Vec::new()))
            }
            (Names::Texts(lines), RecordType::Txt) => {
                match lines.get(self.numbers.of(question.name.clone())) {
                    None => of(Rcode::NxDomain, Vec::new()),
                    Some(records) => {
                        of(Rcode::NoError, records.iter().cloned().map(DnsData::Txt).collect())
                    }
                }
            }
            (_, RecordType::A) => of(Rcode::NoError, address()),
            (Names::Texts(_), RecordType::Mx) => {
                let exchange = format!("mx.{name}");
                of(Rcode::NoError, vec![DnsData::Mx { preference: 10, exchange }])
            }
            _ => of(Rcode::NoError, Vec::new()),
        }
    }
}

impl Dns for Resolver {
    fn lookup(&self, question: DnsQuestion) -> Answer<'_, Result<DnsAnswer, ProbeError>> {
        let answer = self.answer(&question);
        Box::pin(async move { Ok(answer) })
    }

    fn transfer(&self, _zone: String, _at: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>> {
        Box::pin(async { Ok(Transfer::Refused) })
    }

    fn resolvers(&self) -> Vec<String> {
        vec!["198.51.100.1".to_owned(), "198.51.100.2".to_owned()]
    }
}

/// One answer of a web server: a status, lines of headers, an empty line, and the body.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    /// The status; a server that says none of HTTP says nothing at all.
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: Bytes,
}

impl Page {
    /// Reads one.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let (mut page, mut rest) = (Self { status: 200, ..Self::default() }, bytes);
        let mut first = true;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if first {
                let text = String::from_utf8_lossy(line);
                page.status =
                    text.trim().parse().ok().filter(|it| (100..1000).contains(it)).unwrap_or(200);
                first = false;
            } else if line.is_empty() {
                break;
            } else if let Some(header) = header(line) {
                page.headers.push(header);
            }
        }
        page.body = Bytes::copy_from_slice(rest);
        page
    }
}

/// A header as hyper lets it through: a token, and a value without control characters.
fn header(line: &[u8]) -> Option<(String, String)> {
    let at = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(at);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    let is_text = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f);
    let name = std::str::from_utf8(name).ok()?;
    let fits = !name.is_empty() && name.bytes().all(|byte| is_token(&byte));
    (fits && value.iter().all(is_text))
        .then(|| (name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned()))
}

/// The HTTP port: each question is answered with the next page, and what comes after the last is not found.
struct Web {
    pages: Vec<Page>,
    numbers: Numbers,
}

impl Web {
    fn answer(&self, request: &HttpRequest) -> Result<HttpAnswer, ProbeError> {
        let scheme = request.url.split_once("://").map(|(scheme, _)| scheme);
        assert!(matches!(scheme, Some("http" | "https")), "a check asks {}", request.url);
        let question = format!("{:?} {} {:?}", request.method, request.url, request.headers);
        let number = self.numbers.of(question);
        let page = self.pages.get(number).cloned();
        let page = page.unwrap_or_else(|| Page { status: 404, ..Page::default() });
        if page.status < 200 {
            return Err(TargetFault::Malformed(request.url.clone()).into());
        }
        let body = page.body.slice(..page.body.len().min(request.max_body));
        Ok(HttpAnswer {
            url: request.url.clone(),
            address: request.address.unwrap_or(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10))),
            version: "HTTP/1.1".to_owned(),
            status: page.status,
            headers: page.headers,
            body_cut: body.len() < page.body.len(),
            body,
            timings: Timings { connect_ms: 40.0, first_byte_ms: 50.0, total_ms: 60.0 },
            trust: request.url.starts_with("https:").then_some(Trust::Trusted),
        })
    }
}

impl Http for Web {
    fn send(&self, request: HttpRequest) -> Answer<'_, Result<HttpAnswer, ProbeError>> {
        let answer = self.answer(&request);
        Box::pin(async move { answer })
    }
}

/// The ports of a world in which names and web servers answer with parts of the input.
pub(super) fn probes(world: World, names: Names, pages: &[&[u8]]) -> Probes {
    let replay = Replay::new(world, now()).unwrap_or_else(|error| panic!("{error}"));
    let pages = pages.iter().map(|page| Page::read(page)).collect();
    let mut probes = replay.probes();
    probes.dns = Arc::new(Resolver { names, numbers: Numbers::default() });
    probes.http = Arc::new(Web { pages, numbers: Numbers::default() });
    probes
}
