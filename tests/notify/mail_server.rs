//! A small mail server that speaks ESMTP with STARTTLS and AUTH, and fails as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What goes wrong, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing.
    Sound,
    /// The greeting is this code.
    Greets(u16),
    /// STARTTLS is not offered.
    Bare,
    /// No way of signing in is offered.
    Deaf,
    /// The login is answered with this code and what the client sent.
    Login(u16),
    /// The recipient is answered with this code.
    Recipient(u16),
    /// The letter is answered with this code.
    Letter(u16),
    /// Nothing is said to DATA.
    Stalls,
    /// The connection ends in the middle of the letter.
    Dies,
    /// The letter is taken, and the connection ends without an answer.
    Forgets,
    /// A line without an end.
    Rambles,
}

/// A letter that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
    pub(crate) encrypted: bool,
    pub(crate) login: Option<String>,
}

#[derive(Debug)]
struct Shared {
    mood: Mutex<Mood>,
    letters: Mutex<Vec<Letter>>,
    /// Everything that was said outside of letters.
    said: Mutex<Vec<String>>,
    acceptor: Option<Arc<rustls::ServerConfig>>,
    wrapped: bool,
}

/// The server; it ends with this value.
#[derive(Debug)]
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MailServer {
    /// Listens on a free port; with `tls` it offers STARTTLS, or is `wrapped` from the first byte.
    pub(crate) async fn start(tls: Option<Arc<rustls::ServerConfig>>, wrapped: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Sound),
            letters: Mutex::default(),
            said: Mutex::default(),
            acceptor: tls,
            wrapped,
        });
        let inside = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut guests = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&inside);
                guests.spawn(async move {
                    // A client that hangs up is its own affair.
                    _ = shared.serve(stream).await;
                });
            }
        });
        Self { address, shared, task }
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.shared.letters.lock().unwrap().clone()
    }

    pub(crate) fn said(&self) -> String {
        self.shared.said.lock().unwrap().join("\n")
    }
}

enum Next {
    Close,
    Upgrade,
}

impl Shared {
    async fn serve(&self, stream: tokio::net::TcpStream) -> std::io::Result<()> {
        if self.wrapped {
            let acceptor = TlsAcceptor::from(self.acceptor.clone().unwrap());
            let mut stream = BufReader::new(acceptor.accept(stream).await?);
            self.talk(&mut stream, true, true).await?;
            return Ok(());
        }
        let mut plain = BufReader::new(stream);
        if let Next::Upgrade = self.talk(&mut plain, false, true).await? {
            let acceptor = TlsAcceptor::from(self.acceptor.clone().unwrap());
            let mut stream = BufReader::new(acceptor.accept(plain.into_inner()).await?);
            self.talk(&mut stream, true, false).await?;
        }
        Ok(())
    }

    async fn talk<S>(
        &self,
        s: &mut BufReader<S>,
        encrypted: bool,
        greet: bool,
    ) -> std::io::Result<Next>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Rambles => loop {
                s.write_all(&[b'2'; 4096]).await?;
            },
            Mood::Greets(code) if greet => {
                s.write_all(format!("{code} not today\r\n").as_bytes()).await?;
            }
            _ if greet => s.write_all(b"220 mail.test ESMTP\r\n").await?,
            _ => {}
        }
        let mut letter = Letter {
            from: String::new(),
            to: Vec::new(),
            text: String::new(),
            encrypted,
            login: None,
        };
        let mut line = String::new();
        loop {
            line.clear();
            if s.read_line(&mut line).await? == 0 {
                return Ok(Next::Close);
            }
            let command = line.trim_end().to_owned();
            self.said.lock().unwrap().push(command.clone());
            let upper = command.to_ascii_uppercase();
            let answer = if upper.starts_with("EHLO") {
                let mut offers = vec!["mail.test"];
                if !encrypted && self.acceptor.is_some() && mood != Mood::Bare {
                    offers.push("STARTTLS");
                }
                if mood != Mood::Deaf {
                    offers.push("AUTH PLAIN");
                }
                offers.push("8BITMIME");
                let last = offers.len() - 1;
                let lines = offers.iter().enumerate().map(|(index, offer)| {
                    format!("250{}{offer}", if index == last { ' ' } else { '-' })
                });
                lines.collect::<Vec<_>>().join("\r\n")
            } else if upper == "STARTTLS" {
                s.write_all(b"220 go on\r\n").await?;
                return Ok(Next::Upgrade);
            } else if let Some(token) = command.strip_prefix("AUTH PLAIN ") {
                if let Mood::Login(code) = mood {
                    let heard = String::from_utf8(STANDARD.decode(token).unwrap()).unwrap();
                    format!("{code} no: {token} {}", heard.replace('\0', " "))
                } else {
                    letter.login = Some(token.to_owned());
                    "235 welcome".to_owned()
                }
            } else if upper.starts_with("MAIL FROM:") {
                command.get(10..).unwrap().clone_into(&mut letter.from);
                "250 ok".to_owned()
            } else if upper.starts_with("RCPT TO:") {
                letter.to.push(command.get(8..).unwrap().to_owned());
                match mood {
                    Mood::Recipient(code) => format!("{code} {command}"),
                    _ => "250 ok".to_owned(),
                }
            } else if upper == "DATA" {
                if mood == Mood::Stalls {
                    std::future::pending::<()>().await;
                }
                s.write_all(b"354 go on\r\n").await?;
                letter.text = match self.letter(s, mood).await? {
                    Some(text) => text,
                    None => return Ok(Next::Close),
                };
                if let Mood::Letter(code) = mood {
                    format!("{code} not this one")
                } else {
                    self.letters.lock().unwrap().push(letter.clone());
                    if mood == Mood::Forgets {
                        return Ok(Next::Close);
                    }
                    "250 taken".to_owned()
                }
            } else if upper == "QUIT" {
                s.write_all(b"221 bye\r\n").await?;
                return Ok(Next::Close);
            } else {
                "502 what".to_owned()
            };
            s.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }

    /// Reads up to the line with a single dot; none where the server dies before it.
    async fn letter<S>(&self, s: &mut BufReader<S>, mood: Mood) -> std::io::Result<Option<String>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            if s.read_line(&mut line).await? == 0 || mood == Mood::Dies {
                return Ok(None);
            }
            if line == ".\r\n" {
                return Ok(Some(text));
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
    }
}
