//! The server that a scrape reaches.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use launchready::metrics::{Board, OPENMETRICS, TEXT};
use tokio::net::TcpListener;

/// What is served, with an extra text that stands behind it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) board: Board,
}

async fn metrics(
    State(served): State<Arc<Served>>,
    RawQuery(_query): RawQuery,
    headers: HeaderMap,
) -> impl IntoResponse {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let openmetrics =
        accepts.is_some_and(|accepts| accepts.contains("application/openmetrics-text"));
    super::sample::tick(&served.board);
    let kind = if openmetrics { OPENMETRICS } else { TEXT };
    match served.board.render(None, openmetrics) {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text),
        Err(error) => {
            (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "text/plain")], error.to_string())
        }
    }
}

/// Serves a board on a free port until the test's runtime ends.
pub(crate) async fn serve(board: Board) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/metrics", get(metrics)).with_state(Arc::new(Served { board }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}
