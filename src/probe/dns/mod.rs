//! The DNS port: questions to resolvers and name servers, message by message.
//!
//! A stub resolver hides what a diagnosis needs (answer code, AA, AD, the aliases on the way to an
//! error), so `hickory-resolver` finds the system's resolvers, `hickory-proto` reads and writes the
//! messages, and the exchange is here.

mod convert;
mod exchange;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::Name;
use launchready_checks::probe::{
    AgentFault, Answer, Dns, DnsAnswer, DnsQuestion, ProbeError, Rcode, RecordType, TargetFault,
    Transfer, Via,
};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use super::route::{Dialer, Network};

/// How long one try may take.
const TRY: Duration = Duration::from_millis(2500);
/// Tries for one question to one server.
const TRIES: usize = 2;
/// The most answers that are remembered.
const REMEMBERED: usize = 16_384;
/// The shortest time between two looks through all answers.
const SWEPT: Duration = Duration::from_secs(1);
/// Questions that may be under way at once; sockets are what this saves, of which an ordinary process
/// may have 1,024.
const UNDER_WAY: usize = 96;
/// The largest UDP answer that is asked for, which passes every path (DNS flag day 2020).
const UDP_PAYLOAD: u16 = 1232;

type Outcome = Result<DnsAnswer, ProbeError>;

/// What the bytes of one message say.
pub(super) fn read_message(bytes: &[u8]) -> Outcome {
    exchange::decode(bytes, "the message").map(|message| convert::answer(&message))
}

/// Asks resolvers and name servers, and remembers the answers for a short while.
#[derive(Debug)]
pub struct DnsProbe {
    asker: Asker,
    cache: Mutex<Cache>,
    /// For how long an answer is remembered.
    fresh: Duration,
}

/// Answers by question, and when those that are old were last thrown away.
#[derive(Debug)]
struct Cache {
    answers: HashMap<DnsQuestion, Remembered>,
    swept: Instant,
}

/// An answer, or the place where it will stand, and when it was asked for.
#[derive(Debug)]
struct Remembered {
    at: Instant,
    place: Arc<OnceCell<Outcome>>,
}

/// The resolvers and the limit.
#[derive(Debug)]
struct Asker {
    dialer: Arc<Dialer>,
    resolvers: Vec<SocketAddr>,
    under_way: Semaphore,
    /// When some resolver last answered what it could not know.
    answered: Mutex<Option<Instant>>,
    /// For how long that shows that it works: the network of an agent can go at any moment.
    alive: Duration,
}

impl DnsProbe {
    /// Asks the configured resolvers, or the system's where none are configured.
    pub fn new(network: &Network, dialer: Arc<Dialer>) -> Self {
        let resolvers = if network.resolvers.is_empty() {
            system_resolvers()
        } else {
            network.resolvers.clone()
        };
        let fresh = network.remembered.unwrap_or(Network::REMEMBERED);
        let asker = Asker {
            dialer,
            resolvers,
            under_way: Semaphore::new(UNDER_WAY),
            answered: Mutex::new(None),
            alive: fresh / 4,
        };
        let cache = Cache { answers: HashMap::new(), swept: Instant::now() };
        Self { asker, cache: Mutex::new(cache), fresh }
    }

    /// Whether any resolver answers at present, whatever it says.
    pub async fn is_reachable(&self) -> bool {
        self.asker.is_alive(&self.asker.resolvers).await
    }

    /// The place of an answer: that of a fresh one, or a new one.
    fn place(&self, question: &DnsQuestion) -> Arc<OnceCell<Outcome>> {
        let now = Instant::now();
        let is_fresh = |remembered: &Remembered| now.duration_since(remembered.at) < self.fresh;
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cache.answers.get(question).filter(|known| is_fresh(known)) {
            return Arc::clone(&known.place);
        }
        // An agent runs for months: what is old is not kept until the memory is full. Where it is, looking through
        // all of it for each question would cost more than asking.
        let is_full = cache.answers.len() >= REMEMBERED;
        let pause = if is_full { self.fresh.min(SWEPT) } else { self.fresh };
        if now.duration_since(cache.swept) >= pause {
            cache.answers.retain(|_, remembered| is_fresh(remembered));
            let room = 2 * cache.answers.len();
            cache.answers.shrink_to(room);
            cache.swept = now;
        }
        let place = Arc::<OnceCell<Outcome>>::default();
        if cache.answers.len() < REMEMBERED {
            let remembered = Remembered { at: now, place: Arc::clone(&place) };
            cache.answers.insert(question.clone(), remembered);
        }
        place
    }
}

impl Asker {
    async fn ask(&self, question: &DnsQuestion) -> Outcome {
        let message = message(question)?;
        match question.via {
            Via::Server(address) => {
                let to = self.dialer.route("name server", address, 53)?;
                self.exchange(&message, to, &address.to_string()).await
            }
            Via::Resolver(index) => {
                let to = self.resolvers.get(index).copied();
                let to = to.ok_or_else(|| AgentFault::Bug(format!("no resolver {index}")))?;
                self.ask_resolvers(&message, &question.name, &[to]).await
            }
            Via::Resolvers => self.ask_resolvers(&message, &question.name, &self.resolvers).await,
        }
    }

    /// Asks one resolver after the other until one answers; a failure of the name is an answer.
    async fn ask_resolvers(&self, message: &Message, name: &str, to: &[SocketAddr]) -> Outcome {
        let mut failed: Option<DnsAnswer> = None;
        let mut refused = false;
        let mut malformed = None;
        for resolver in to {
            match self.exchange(message, *resolver, &resolver.to_string()).await {
                Ok(answer) if matches!(answer.rcode, Rcode::ServFail | Rcode::Refused) => {
                    failed.get_or_insert(answer);
                }
                Ok(answer) => return Ok(answer),
                Err(ProbeError::Target(TargetFault::Refused(_))) => refused = true,
                Err(ProbeError::Target(TargetFault::Malformed(what))) => malformed = Some(what),
                Err(_) => {}
            }
        }
        if let Some(answer) = failed {
            return Ok(answer);
        }
        // Nonsense about one name is that name's; a resolver that talks nothing else is ours.
        if let Some(what) = malformed
            && self.is_alive(to).await
        {
            return Err(TargetFault::Malformed(what).into());
        }
        if !refused && self.is_alive(to).await {
            // The resolver works; it is this name's servers that keep it waiting.
            return Err(TargetFault::TimedOut(format!("resolving {name}")).into());
        }
        let list: Vec<_> = to.iter().map(ToString::to_string).collect();
        Err(AgentFault::NoResolver(format!("{} asked for {name}", list.join(", "))).into())
    }

    /// Whether a resolver answers at all: asks for a name that it cannot know, because it may answer others from
    /// memory for days.
    async fn is_alive(&self, resolvers: &[SocketAddr]) -> bool {
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.is_some_and(|at| at.elapsed() < self.alive) {
            return true;
        }
        let Some(name) = unheard_of() else { return false };
        let Ok(message) = message(&DnsQuestion::new(&name, RecordType::Ns)) else { return false };
        for resolver in resolvers {
            // A forwarder on this machine answers so when it reaches nobody itself.
            let answer = self.exchange(&message, *resolver, "resolver").await;
            if answer.is_ok_and(|answer| answer.rcode != Rcode::ServFail) {
                let now = Some(Instant::now());
                *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = now;
                return true;
            }
        }
        false
    }

    async fn exchange(&self, message: &Message, to: SocketAddr, what: &str) -> Outcome {
        // Acquiring fails only on a closed semaphore, and this one is never closed.
        let _permit = self.under_way.acquire().await.ok();
        let mut last = ProbeError::from(TargetFault::TimedOut(what.to_owned()));
        for _ in 0..TRIES {
            match exchange::ask(&self.dialer, message, to, what, TRY).await {
                Ok(answer) => return Ok(convert::answer(&answer)),
                Err(error @ ProbeError::Target(TargetFault::TimedOut(_))) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

impl Dns for DnsProbe {
    fn lookup(&self, question: DnsQuestion) -> Answer<'_, Outcome> {
        let place = self.place(&question);
        Box::pin(async move { place.get_or_init(|| self.asker.ask(&question)).await.clone() })
    }

    fn transfer(&self, zone: String, server: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>> {
        Box::pin(async move {
            let to = self.asker.dialer.route("name server", server, 53)?;
            exchange::transfer(&zone, to, &server.to_string(), TRY).await
        })
    }

    fn resolvers(&self) -> Vec<String> {
        self.asker.resolvers.iter().map(|resolver| resolver.ip().to_string()).collect()
    }
}

/// Asks one server for the addresses of a name, past every memory; with recursion, as a stub does.
///
/// # Errors
/// The name is none, or no answer came within `limit`.
pub(super) async fn ask_server(
    dialer: &Dialer,
    name: &str,
    to: SocketAddr,
    limit: Duration,
) -> Result<Message, ProbeError> {
    let message = message(&DnsQuestion::new(name, RecordType::A))?;
    exchange::ask(dialer, &message, to, &to.to_string(), limit).await
}

/// A name that nobody has asked for before; `None` where the machine has no randomness.
fn unheard_of() -> Option<String> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).ok()?;
    let (name, suffix) = bytes.split_at(8);
    Some(format!("{}.{}", hex::encode(name), hex::encode(suffix)))
}

fn system_resolvers() -> Vec<SocketAddr> {
    let Ok((config, _)) = hickory_resolver::system_conf::read_system_conf() else {
        // As every stub resolver does without a configuration: the one on this machine.
        return vec![SocketAddr::from(([127, 0, 0, 1], 53))];
    };
    let mut all = Vec::new();
    for server in config.name_servers() {
        let port = server.connections.first().map_or(53, |connection| connection.port);
        let address = SocketAddr::new(server.ip, port);
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

fn message(question: &DnsQuestion) -> Result<Message, ProbeError> {
    let malformed = || TargetFault::Malformed(format!("{:?} is no domain name", question.name));
    let mut name = Name::from_ascii(&question.name).map_err(|_source| malformed())?;
    name.set_fqdn(true);
    let mut message = Message::query();
    message.add_query(Query::query(name, convert::record_type(question.kind)));
    message.metadata.recursion_desired = !matches!(question.via, Via::Server(_));
    message.metadata.checking_disabled = question.checking_disabled;
    message.metadata.authentic_data = question.dnssec;
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD).set_dnssec_ok(question.dnssec);
    message.set_edns(edns);
    Ok(message)
}
