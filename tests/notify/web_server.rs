//! A small web server that keeps what it gets and answers as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use tokio::task::JoinHandle;

/// How the server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With a status; the body is all that was sent, headers and address included.
    Echo(u16),
    /// With a status and a `Retry-After`.
    Wait(u16, String),
    /// With a status and this body.
    Says(u16, &'static str),
    /// With a redirect to another address of the same server.
    Moves,
    /// With a body without an end.
    Rambles,
    /// Never.
    Stalls,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Debug)]
struct Shared {
    manner: Mutex<Manner>,
    requests: Mutex<Vec<Request>>,
}

/// The server; it ends with this value.
#[derive(Debug)]
pub(crate) struct WebServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl WebServer {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            manner: Mutex::new(Manner::Says(200, "ok")),
            requests: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { address, shared, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn set(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.shared.requests.lock().unwrap())
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request = Request { path: uri.to_string(), headers, body: body.to_vec() };
    shared.requests.lock().unwrap().push(request.clone());
    let manner = shared.manner.lock().unwrap().clone();
    let with = |status: u16| Response::builder().status(StatusCode::from_u16(status).unwrap());
    let built = match manner {
        Manner::Echo(status) => {
            let heard = String::from_utf8_lossy(&request.body).into_owned();
            let text = format!("{} {:?} {heard}", request.path, request.headers);
            with(status).body(Body::from(text))
        }
        Manner::Wait(status, wait) => with(status).header("retry-after", wait).body(Body::empty()),
        Manner::Says(status, text) => with(status).body(Body::from(text)),
        Manner::Moves => with(307).header("location", "/elsewhere").body(Body::empty()),
        Manner::Rambles => {
            let endless = futures_util::stream::repeat_with(|| {
                Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b'x'; 1024]))
            });
            with(200).body(Body::from_stream(endless))
        }
        Manner::Stalls => std::future::pending().await,
    };
    built.unwrap()
}
