//! DNS over UDP and TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::{Question, Responder};
use crate::error::LabError;
use crate::gate::Gate;
use crate::link::Link;
use crate::listener::Servers;

/// The most that is sent in one datagram, as agreed on the DNS flag day of 2020.
const DATAGRAM: u16 = 1232;
/// Without EDNS (RFC 1035 section 4.2.1).
const SHORT_DATAGRAM: u16 = 512;
/// Records in one message of a zone transfer.
const TRANSFER_RECORDS: usize = 100;

/// A closed TCP port, and a UDP socket on the same free port that answers until the lab ends.
pub(super) async fn listen<R: Responder>(
    servers: &mut Servers,
    responder: Arc<R>,
) -> Result<Gate, LabError> {
    let on_tcp = Arc::clone(&responder);
    let handle = move |link| {
        let responder = Arc::clone(&on_tcp);
        async move {
            if let Err(error) = serve_stream(link, &*responder).await {
                tracing::trace!(%error, "DNS connection ended");
            }
        }
    };
    let (gate, socket) = Gate::pair(servers.delay, handle).await?;
    let delay = servers.delay;
    servers.spawn(async move {
        let socket = Arc::new(socket);
        let mut answers = JoinSet::new();
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            tokio::select! {
                received = socket.recv_from(&mut buffer) => {
                    let Ok((length, from)) = received else { continue };
                    let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                    let socket = Arc::clone(&socket);
                    let responder = Arc::clone(&responder);
                    answers.spawn(async move {
                        if !delay.is_zero() {
                            tokio::time::sleep(delay).await;
                        }
                        answer_datagram(&socket, from, &bytes, &*responder).await;
                    });
                }
                Some(_) = answers.join_next() => {}
            }
        }
    });
    Ok(gate)
}

async fn answer_datagram<R: Responder>(
    socket: &UdpSocket,
    from: SocketAddr,
    bytes: &[u8],
    responder: &R,
) {
    let Ok(request) = Message::from_vec(bytes) else { return };
    let limit = request
        .edns
        .as_ref()
        .map_or(SHORT_DATAGRAM, |edns| edns.max_payload().clamp(SHORT_DATAGRAM, DATAGRAM));
    let Some(reply) = respond(request, responder) else { return };
    let encoded = match reply.to_vec() {
        Ok(encoded) if encoded.len() > usize::from(limit) => reply.truncate().to_vec(),
        encoded => encoded,
    };
    match encoded {
        Ok(encoded) => {
            let _lost_like_any_datagram = socket.send_to(&encoded, from).await;
        }
        Err(error) => tracing::warn!(%error, "an answer cannot be encoded"),
    }
}

async fn serve_stream<R: Responder>(mut link: Link, responder: &R) -> io::Result<()> {
    loop {
        let length = link.read_u16().await?;
        let mut bytes = vec![0; usize::from(length)];
        link.read_exact(&mut bytes).await?;
        let request = Message::from_vec(&bytes).map_err(io::Error::other)?;
        let zone = request
            .queries
            .first()
            .filter(|query| query.query_type() == RecordType::AXFR)
            .map(|query| query.name().clone());
        if let Some(records) = zone.and_then(|zone| responder.transfer(&zone)) {
            for part in records.chunks(TRANSFER_RECORDS) {
                let mut reply = Message::response(request.metadata.id, OpCode::Query);
                reply.metadata.authoritative = true;
                reply.queries.clone_from(&request.queries);
                reply.add_answers(part.iter().cloned());
                send(&mut link, &reply).await?;
            }
        } else if let Some(reply) = respond(request, responder) {
            send(&mut link, &reply).await?;
        } else {
            // Silence: the asker ends it.
            link.read_u8().await?;
        }
    }
}

async fn send(link: &mut Link, reply: &Message) -> io::Result<()> {
    let encoded = reply.to_vec().map_err(io::Error::other)?;
    let mut framed = u16::try_from(encoded.len()).map_err(io::Error::other)?.to_be_bytes().to_vec();
    framed.extend(encoded);
    link.write_all(&framed).await
}

/// The answer to any message; `None` is silence.
fn respond<R: Responder>(request: Message, responder: &R) -> Option<Message> {
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let id = request.metadata.id;
    if request.metadata.op_code != OpCode::Query {
        return Some(Message::error_msg(id, request.metadata.op_code, ResponseCode::NotImp));
    }
    let Some(query) = request.queries.first() else {
        return Some(Message::error_msg(id, OpCode::Query, ResponseCode::FormErr));
    };
    let signed = request.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
    let question = Question {
        name: query.name().to_lowercase(),
        kind: query.query_type(),
        signed,
        unchecked: request.metadata.checking_disabled,
        wants_verdict: signed || request.metadata.authentic_data,
        request,
    };
    let mut reply = if matches!(question.kind, RecordType::AXFR | RecordType::IXFR) {
        question.reply(ResponseCode::Refused)
    } else {
        responder.respond(&question)?
    };
    if question.request.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(DATAGRAM).set_version(0).set_dnssec_ok(signed);
        reply.set_edns(edns);
    }
    Some(reply)
}
