//! The smallest servers that a plugin can ask: a page, and a name.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

/// What the page says.
const PAGE: &str =
    "<!doctype html><html lang=en><title>Harbor</title><h1>Hello</h1><p>We are open.</p>";

/// Answers every request with a page, as long as the test runs.
pub(crate) fn page(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A browser opens connections that it may use later.
            std::thread::spawn(move || answer_page(stream, status));
        }
    });
    address
}

fn answer_page(mut stream: TcpStream, status: &str) {
    let mut head = [0; 4096];
    drop(stream.read(&mut head));
    let length = PAGE.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    drop(stream.write_all(format!("{head}{PAGE}").as_bytes()));
}

/// A name server on port 53 of a loopback address of its own: every name has the address 192.0.2.7, and
/// none has another record. `None` where this user may not open the port, or it is taken.
pub(crate) fn names() -> Option<Ipv4Addr> {
    let own = Ipv4Addr::new(127, 83, 0, 53);
    let socket = UdpSocket::bind((own, 53)).ok()?;
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            if let Some(answer) = answer(&question[..length]) {
                drop(socket.send_to(&answer, from));
            }
        }
    });
    Some(own)
}

/// The header and the question again, and the address where one is asked for (RFC 1035 section 4).
fn answer(question: &[u8]) -> Option<Vec<u8>> {
    let name = question.get(12..)?.iter().position(|byte| *byte == 0)?;
    let end = 12 + name + 5;
    let is_address = question.get(end - 4..end)? == [0, 1, 0, 1];
    let mut answer = question.get(..2)?.to_vec();
    answer.extend([0x85, 0x80, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0]);
    answer.extend(question.get(12..end)?);
    if is_address {
        // The name of the question, type A, class IN, a minute, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
    }
    Some(answer)
}
