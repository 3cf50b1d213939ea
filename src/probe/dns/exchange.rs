//! One message out and one back, over UDP and after truncation over TCP.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use launchready_checks::probe::{ProbeError, TargetFault, Transfer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::probe::route::{Dialer, blame};

/// When a question that has no answer yet is sent once more on the same socket: datagrams are lost,
/// more so in a burst.
const AGAIN: [Duration; 1] = [Duration::from_secs(1)];

/// Records of a zone transfer after which reading stops: the zone is open, and that is enough.
const TRANSFER_RECORDS: usize = 50;
/// Messages of a zone transfer after which reading stops.
const TRANSFER_MESSAGES: usize = 20;

/// Asks over UDP, and over TCP where the answer does not fit.
pub(super) async fn ask(
    dialer: &Dialer,
    message: &Message,
    to: SocketAddr,
    what: &str,
    limit: Duration,
) -> Result<Message, ProbeError> {
    let deadline = Instant::now() + limit;
    let answer = over_udp(dialer, message, to, what, deadline).await?;
    if answer.metadata.truncation {
        let deadline = Instant::now() + limit;
        return within(deadline, what, over_tcp(message, to, what)).await;
    }
    if answer.metadata.response_code == ResponseCode::FormErr && message.edns.is_some() {
        // Servers from before EDNS (RFC 6891) answer FORMERR to it.
        let mut plain = message.clone();
        plain.edns = None;
        return over_udp(dialer, &plain, to, what, deadline).await;
    }
    Ok(answer)
}

async fn within<T>(
    deadline: Instant,
    what: &str,
    work: impl Future<Output = Result<T, ProbeError>>,
) -> Result<T, ProbeError> {
    let timed_out = |_elapsed| ProbeError::from(TargetFault::TimedOut(what.to_owned()));
    timeout_at(deadline, work).await.map_err(timed_out)?
}

async fn over_udp(
    dialer: &Dialer,
    message: &Message,
    to: SocketAddr,
    what: &str,
    deadline: Instant,
) -> Result<Message, ProbeError> {
    let bytes = encode(message)?;
    within(deadline, what, async {
        let socket = dialer.udp(to, &bytes)?;
        let mut buffer = vec![0; 4096];
        let mut again = AGAIN.iter().map(|after| Instant::now() + *after);
        let mut next = again.next();
        loop {
            let received = match next {
                Some(at) => timeout_at(at, socket.recv(&mut buffer)).await,
                None => Ok(socket.recv(&mut buffer).await),
            };
            let sent_or_received = match received {
                Ok(received) => received,
                Err(_elapsed) => {
                    next = again.next();
                    socket.send(&bytes).await.map(|_sent| 0)
                }
            };
            let length = sent_or_received.map_err(|error| blame(&error, what.to_owned()))?;
            let datagram = buffer.get(..length).unwrap_or_default();
            // A datagram with another id or question is a stray or a forgery: keep waiting.
            if datagram.get(..2) != bytes.get(..2) {
                continue;
            }
            let answer = decode(datagram, what)?;
            if is_answer_to(&answer, message) {
                return Ok(answer);
            }
        }
    })
    .await
}

async fn over_tcp(message: &Message, to: SocketAddr, what: &str) -> Result<Message, ProbeError> {
    let mut stream = connect(to, what).await?;
    send(&mut stream, message, what).await?;
    let answer = decode(&receive(&mut stream, what).await?, what)?;
    if is_answer_to(&answer, message) {
        return Ok(answer);
    }
    Err(TargetFault::Malformed(format!("{what} answers another question")).into())
}

/// Asks for a whole zone and stops as soon as it is clear that the server hands it out.
pub(super) async fn transfer(
    zone: &str,
    to: SocketAddr,
    what: &str,
    limit: Duration,
) -> Result<Transfer, ProbeError> {
    let malformed = |_source| TargetFault::Malformed(format!("{zone:?} is no domain name"));
    let mut name = Name::from_ascii(zone).map_err(malformed)?;
    name.set_fqdn(true);
    let mut message = Message::query();
    message.add_query(Query::query(name, RecordType::AXFR));
    within(Instant::now() + limit, what, async {
        let mut stream = connect(to, what).await?;
        send(&mut stream, &message, what).await?;
        let mut records = 0;
        for _ in 0..TRANSFER_MESSAGES {
            let Ok(bytes) = receive(&mut stream, what).await else { break };
            let answer = decode(&bytes, what)?;
            if answer.metadata.response_code != ResponseCode::NoError || answer.answers.is_empty() {
                break;
            }
            records += answer.answers.len();
            let last = answer.answers.last().map(hickory_proto::rr::Record::record_type);
            if records >= TRANSFER_RECORDS || (records > 1 && last == Some(RecordType::SOA)) {
                break;
            }
        }
        // One SOA alone is how some servers say that there is nothing to see.
        Ok(if records > 1 { Transfer::Open { records } } else { Transfer::Refused })
    })
    .await
}

async fn connect(to: SocketAddr, what: &str) -> Result<TcpStream, ProbeError> {
    TcpStream::connect(to).await.map_err(|error| blame(&error, what.to_owned()))
}

async fn send(stream: &mut TcpStream, message: &Message, what: &str) -> Result<(), ProbeError> {
    let bytes = encode(message)?;
    let length = u16::try_from(bytes.len())
        .map_err(|_source| TargetFault::TooLarge("question".to_owned()))?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend(bytes);
    stream.write_all(&framed).await.map_err(|error| blame(&error, what.to_owned()))
}

/// One message with its length in front; at most 64 KiB by the format itself.
async fn receive(stream: &mut TcpStream, what: &str) -> Result<Vec<u8>, ProbeError> {
    let failed = |error| blame(&error, what.to_owned());
    let length = stream.read_u16().await.map_err(failed)?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await.map_err(failed)?;
    Ok(bytes)
}

fn encode(message: &Message) -> Result<Vec<u8>, ProbeError> {
    message
        .to_vec()
        .map_err(|error| TargetFault::Malformed(format!("no DNS message: {error}")).into())
}

/// Reads one message.
pub(super) fn decode(bytes: &[u8], what: &str) -> Result<Message, ProbeError> {
    Message::from_vec(bytes)
        .map_err(|error| TargetFault::Malformed(format!("{what}: {error}")).into())
}

fn is_answer_to(answer: &Message, question: &Message) -> bool {
    let same_question = match (answer.queries.first(), question.queries.first()) {
        (Some(a), Some(q)) => a.query_type() == q.query_type() && a.name() == q.name(),
        // Some servers leave the question out of an error.
        (None, _) => answer.metadata.response_code != ResponseCode::NoError,
        (Some(_), None) => false,
    };
    answer.metadata.id == question.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer.metadata.op_code == OpCode::Query
        && same_question
}
