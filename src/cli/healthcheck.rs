//! `launchready healthcheck`: whether the agent of this machine lives, for containers, which have no curl.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

use super::Exit;
use super::args::HealthcheckArgs;
use super::output::{complain, print};

/// How long each step may take: to connect, to ask, and each piece of the answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most bytes of the answer that are read; its first line has fewer.
const ANSWER_BYTES: u64 = 64;

pub(super) fn run(args: &HealthcheckArgs) -> anyhow::Result<Exit> {
    let said = ask(args.address).with_context(|| no_answer(args.address))?;
    if is_well(&said) {
        print(&format!("the agent at {} lives\n", args.address));
        return Ok(Exit::Clean);
    }
    complain(&format!("what answers at {} is no agent that lives; {LISTEN}", args.address));
    Ok(Exit::Found)
}

/// Where the address stands, and how it is given.
const LISTEN: &str = "the agent listens where agent.listen in its config says, at 127.0.0.1:9797 where that says \
                      nothing: type `launchready healthcheck ADDRESS` with that address";

/// What to do where nobody listens.
fn no_answer(address: SocketAddr) -> String {
    format!(
        "no agent answers at {address}; {LISTEN}; if it is that one, start the agent with `launchready agent --config \
         FILE`, or look at its log"
    )
}

/// The begin of what `/healthz` answers.
fn ask(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // In one piece: a server that answers early would cut off the rest.
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut said = Vec::new();
    stream.take(ANSWER_BYTES).read_to_end(&mut said)?;
    Ok(said)
}

fn is_well(said: &[u8]) -> bool {
    said.starts_with(b"HTTP/1.1 200 ") || said.starts_with(b"HTTP/1.0 200 ")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A server that answers one request so.
    fn answering(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).unwrap();
            assert!(asked.get(..length).unwrap().starts_with(b"GET /healthz HTTP/1.1\r\nHost: "));
            stream.write_all(answer).unwrap();
        });
        address
    }

    #[test]
    fn only_an_agent_that_says_200_lives() {
        let exit = |answer| run(&HealthcheckArgs { address: answering(answer) }).ok();
        assert_eq!(exit(b"HTTP/1.1 200 OK\r\n\r\nok"), Some(Exit::Clean));
        for other in [&b"HTTP/1.1 503 Service Unavailable\r\n\r\n"[..], b"SSH-2.0-x 200\r\n", b""] {
            assert_eq!(exit(other), Some(Exit::Found), "{other:?}");
        }
    }

    #[test]
    fn where_nobody_listens_it_says_so() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = run(&HealthcheckArgs { address }).unwrap_err().to_string();
        for part in [
            address.to_string().as_str(),
            "agent.listen in its config",
            "type `launchready healthcheck ADDRESS`",
            "`launchready agent --config FILE`, or look at its log",
        ] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }
}
