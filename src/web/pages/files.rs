//! Style, script and icon: files of our own, compiled in.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::web::fault::Fault;

/// Every file with its type.
const FILES: [(&str, &str, &str); 3] = [
    ("page.css", "text/css; charset=utf-8", include_str!("../static/page.css")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("../static/live.js")),
    ("icon.svg", "image/svg+xml", include_str!("../static/icon.svg")),
];

/// Changes with the content of any file, so that browsers may keep one for a year.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for (_, _, content) in FILES {
            hash.update(content);
        }
        hex::encode(hash.finalize()).chars().take(12).collect()
    });
    &VERSION
}

pub(in crate::web) async fn file(Path(name): Path<String>) -> Result<Response, Fault> {
    let file = FILES.iter().find(|(file, _, _)| *file == name);
    let Some((_, kind, content)) = file else {
        return Err(Fault::of_status(axum::http::StatusCode::NOT_FOUND));
    };
    let headers = [(CONTENT_TYPE, *kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, *content).into_response())
}
