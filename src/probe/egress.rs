//! Whether anything outside answers: what the connections to all products say together.
//!
//! A resolver may answer from memory, or stand on this side of what is broken. So an agent also heeds what its looks
//! meet anyway. One product that is silent is down; where several products that have nothing in common are silent
//! and none answers, it is this machine that reaches nobody. No connection is made for that, unless one of them is
//! silent: then the others are asked, too.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::route::is_private;

/// So many products have to be silent, each at an address of its own: one server may bear several of them.
const SILENT: usize = 3;
/// The most products that are remembered.
const REMEMBERED: usize = 5;
/// For how long a silence counts.
const RECENT: Duration = Duration::from_mins(2);
/// How long one of them has to answer when it is asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// The ports of the web. Others are closed to many machines for good, such as that of mail.
const WEB: [u16; 2] = [80, 443];

/// The last products to which somebody connected, and how that ended.
#[derive(Debug, Default)]
pub struct Egress(Mutex<Vec<Heard>>);

/// What was last heard of a product.
#[derive(Debug)]
struct Heard {
    /// Its registrable domain.
    domain: String,
    /// The address that it has, whatever rules make of it.
    address: IpAddr,
    /// Where the connection went; where it has answered, the last place where it did.
    to: SocketAddr,
    /// When it was silent last, where nobody has answered since.
    silent: Option<Instant>,
}

/// How an attempt to connect ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Somebody answered, and be it with a refusal.
    Answer,
    /// Nothing came, or there is no way.
    Silence,
    /// That says nothing of the network.
    Nothing,
}

impl Sign {
    /// Of the result of a connection; `None` where it took too long.
    pub(super) fn of<T>(result: Option<&io::Result<T>>) -> Self {
        use io::ErrorKind as Kind;
        match result.map(|result| result.as_ref().map_err(io::Error::kind)) {
            Some(
                Ok(_)
                | Err(Kind::ConnectionRefused | Kind::ConnectionReset | Kind::ConnectionAborted),
            ) => Self::Answer,
            None | Some(Err(Kind::TimedOut | Kind::HostUnreachable | Kind::NetworkUnreachable)) => {
                Self::Silence
            }
            Some(Err(_)) => Self::Nothing,
        }
    }
}

impl Egress {
    /// Takes in how a connection to a host of the product with this registrable domain ended. What stands on a
    /// private address says nothing of what is outside.
    pub(super) fn note(
        &self,
        domain: &str,
        (address, port): (IpAddr, u16),
        to: SocketAddr,
        sign: Sign,
    ) {
        if is_private(address) || !WEB.contains(&port) {
            return;
        }
        match sign {
            Sign::Answer => self.answered(domain, address, to),
            Sign::Silence => self.was_silent(domain, address, to, Instant::now()),
            Sign::Nothing => {}
        }
    }

    fn answered(&self, domain: &str, address: IpAddr, to: SocketAddr) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter_mut().for_each(|heard| heard.silent = None);
        // Each connection of each look comes by here: mostly nothing is new.
        if let Some(heard) = all.iter_mut().find(|heard| heard.domain == domain) {
            (heard.address, heard.to) = (address, to);
        } else {
            add(&mut all, Heard { domain: domain.to_owned(), address, to, silent: None });
        }
    }

    fn was_silent(&self, domain: &str, address: IpAddr, to: SocketAddr, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = Some(now);
        if let Some(heard) = all.iter_mut().find(|heard| heard.domain == domain) {
            heard.silent = silent;
        } else {
            add(&mut all, Heard { domain: domain.to_owned(), address, to, silent });
        }
    }

    /// Whether nothing outside answers, as far as was seen up to now.
    fn is_cut_off(&self, now: Instant) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let silent: BTreeSet<IpAddr> =
            all.iter().filter(|heard| heard.is_silent(now)).map(|heard| heard.address).collect();
        silent.len() >= SILENT
    }

    /// Where to ask whether anything answers: nowhere, unless there is doubt.
    fn doubted(&self, now: Instant) -> Vec<SocketAddr> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|heard| heard.is_silent(now)) {
            all.iter().map(|heard| heard.to).collect()
        } else {
            Vec::new()
        }
    }

    /// Whether anything outside answers. Where a product was silent a moment ago, all that are remembered are called
    /// at once, without a word, and the first answer is enough.
    pub async fn is_there(&self) -> bool {
        let mut calls = JoinSet::new();
        for to in self.doubted(Instant::now()) {
            calls.spawn(async move {
                let result = timeout(PATIENCE, TcpStream::connect(to)).await;
                (to, Sign::of(result.as_ref().ok()))
            });
        }
        while let Some(call) = calls.join_next().await {
            let Ok((to, sign)) = call else { continue };
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match sign {
                Sign::Answer => {
                    all.iter_mut().for_each(|heard| heard.silent = None);
                    return true;
                }
                Sign::Silence => {
                    let now = Instant::now();
                    let called = all.iter_mut().filter(|heard| heard.to == to);
                    called.for_each(|heard| heard.silent = Some(now));
                }
                Sign::Nothing => {}
            }
        }
        !self.is_cut_off(Instant::now())
    }
}

impl Heard {
    fn is_silent(&self, now: Instant) -> bool {
        self.silent.is_some_and(|since| now.duration_since(since) < RECENT)
    }
}

/// Remembers one more, in the place of the one that has been remembered longest.
fn add(all: &mut Vec<Heard>, heard: Heard) {
    if all.len() >= REMEMBERED {
        all.remove(0);
    }
    all.push(heard);
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// A moment that leaves room before it.
    fn start() -> Instant {
        Instant::now() + RECENT
    }

    fn address(nth: u8) -> IpAddr {
        [203, 0, 113, nth].into()
    }

    fn place(nth: u8) -> SocketAddr {
        SocketAddr::new(address(nth), 443)
    }

    /// What comes after the products of these numbers were silent.
    fn silent(products: &[u8], now: Instant) -> Egress {
        let egress = Egress::default();
        for nth in products {
            egress.was_silent(&format!("{nth}.example"), address(*nth), place(*nth), now);
        }
        egress
    }

    #[test]
    fn three_products_have_to_be_silent_and_none_may_have_answered_since() {
        let now = start();
        assert!(!silent(&[], now).is_cut_off(now));
        assert!(!silent(&[1, 2], now).is_cut_off(now));
        let egress = silent(&[1, 2, 3], now);
        assert!(egress.is_cut_off(now));
        egress.answered("4.example", address(4), place(4));
        assert!(!egress.is_cut_off(now));
        egress.was_silent("1.example", address(1), place(1), now);
        assert!(!egress.is_cut_off(now), "the others may be there again");
    }

    #[test]
    fn one_product_that_is_down_is_never_taken_for_a_lost_network() {
        let now = start();
        let egress = Egress::default();
        for nth in 1..=9 {
            egress.was_silent("shop.example", address(nth), place(nth), now);
        }
        assert!(!egress.is_cut_off(now));
        // Nor is a server that bears many of them.
        for domain in ["a.example", "b.example", "c.example", "d.example"] {
            egress.was_silent(domain, address(1), place(1), now);
        }
        assert!(!egress.is_cut_off(now));
    }

    #[test]
    fn a_silence_counts_for_two_minutes() {
        let then = start();
        let egress = silent(&[1, 2, 3], then);
        let now = then + RECENT;
        assert!(!egress.is_cut_off(now));
        assert!(egress.doubted(now).is_empty());
        egress.was_silent("1.example", address(1), place(1), now);
        assert!(!egress.is_cut_off(now));
        assert_eq!(egress.doubted(now).len(), 3, "the others are asked anew");
    }

    #[test]
    fn what_is_private_or_not_of_the_web_says_nothing() {
        let egress = Egress::default();
        let note = |nth, (address, port), sign| {
            egress.note(&format!("{nth}.example"), (address, port), place(nth), sign);
        };
        for nth in 1..=3 {
            note(nth, (address(nth), 25), Sign::Silence);
            note(nth, ([10, 0, 0, nth].into(), 443), Sign::Silence);
            note(nth, (address(nth), 443), Sign::Nothing);
        }
        assert!(!egress.is_cut_off(Instant::now()));
        for nth in 1..=3 {
            note(nth, (address(nth), 443), Sign::Silence);
        }
        note(1, ([10, 0, 0, 1].into(), 443), Sign::Answer);
        assert!(egress.is_cut_off(Instant::now()), "what is near answers all the same");
        note(1, (address(1), 80), Sign::Answer);
        assert!(!egress.is_cut_off(Instant::now()));
    }

    #[test]
    fn a_handful_is_remembered_and_where_it_answered_last() {
        let now = start();
        let egress = silent(&[1, 2, 3, 4, 5, 6, 7], now);
        assert_eq!(egress.doubted(now), [3, 4, 5, 6, 7].map(place));
        egress.answered("3.example", address(3), place(33));
        assert!(egress.doubted(now).is_empty(), "there is no doubt");
        egress.was_silent("3.example", address(3), place(3), now);
        assert_eq!(egress.doubted(now), [33, 4, 5, 6, 7].map(place));
    }

    #[test]
    fn a_refusal_is_an_answer_and_a_lack_of_sockets_is_none() {
        let of = |kind: io::ErrorKind| Sign::of::<()>(Some(&Err(kind.into())));
        assert_eq!(Sign::of(Some(&Ok(()))), Sign::Answer);
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Sign::Answer);
        assert_eq!(of(io::ErrorKind::HostUnreachable), Sign::Silence);
        assert_eq!(Sign::of::<()>(None), Sign::Silence);
        let too_many_files = Err::<(), _>(io::Error::from_raw_os_error(24));
        assert_eq!(Sign::of(Some(&too_many_files)), Sign::Nothing);
    }

    #[tokio::test]
    async fn in_doubt_the_others_are_asked_and_one_answer_is_enough() {
        // Whoever connects to the full one waits: nobody accepts.
        let full = TcpSocket::new_v4().unwrap();
        full.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let full = full.listen(1).unwrap();
        let to = full.local_addr().unwrap();
        let mut waiting = Vec::new();
        let quick = Duration::from_millis(200);
        while let Ok(stream) = timeout(quick, TcpStream::connect(to)).await {
            waiting.push(stream.unwrap());
        }
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();

        let egress = Egress::default();
        for nth in 1..=3 {
            egress.answered(&format!("{nth}.example"), address(nth), to);
        }
        assert!(egress.is_there().await, "nobody doubts it");
        egress.was_silent("1.example", address(1), to, Instant::now());
        assert!(!egress.is_cut_off(Instant::now()));
        assert!(!egress.is_there().await, "the others are silent, too");
        assert!(!egress.is_there().await, "and it stays so");
        egress.answered("4.example", address(4), open.local_addr().unwrap());
        egress.was_silent("1.example", address(1), to, Instant::now());
        assert!(egress.is_there().await, "one of them is down, and another one answers");
        assert!(egress.doubted(Instant::now()).is_empty());
    }
}
