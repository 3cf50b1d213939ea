//! Why a request was not served, and what to do next.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::store::StoreError;

/// A request that was not served. Drawn as a page or as JSON by [`super::guard`], which knows who asked.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// The status of the answer.
    pub(super) status: StatusCode,
    /// What is wrong, as a sentence.
    pub(super) what: String,
    /// What to do next, as a sentence.
    pub(super) next: String,
    /// A header of its own, such as `Retry-After`.
    pub(super) header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Fault {
    pub(super) fn new(
        status: StatusCode,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { status, what: what.into(), next: next.into(), header: None }
    }

    /// There is no such thing, and where its likes are listed.
    pub(super) fn missing(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what, next)
    }

    /// What was sent cannot be read.
    pub(super) fn bad(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, what, next)
    }

    /// Nobody may do this from there.
    pub(super) fn forbidden(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, what, next)
    }

    /// Too often; `seconds` until the next try.
    pub(super) fn too_often(seconds: u64) -> Self {
        let minutes = seconds.div_ceil(60).max(1);
        let plural = if minutes == 1 { "" } else { "s" };
        Self {
            header: Some(Box::new((header::RETRY_AFTER, HeaderValue::from(seconds)))),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many wrong passwords or tokens came from your address.",
                format!("Wait {minutes} minute{plural}, then try again."),
            )
        }
    }

    /// What a framework's own refusal means.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let (what, next) = match status {
            StatusCode::NOT_FOUND => {
                ("There is no such page.", "Start from the overview, or check the address.")
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                ("This address does not take that method.", "Go back and use the form of the page.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("What was sent is over 64 KiB.", "Send a shorter text.")
            }
            StatusCode::URI_TOO_LONG => ("The address is too long.", "Shorten the search."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "The body is of a type that this address does not take.",
                "Send JSON with Content-Type: application/json, or use the form of the page.",
            ),
            StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => (
                "The answer took too long.",
                "Try again in a minute; the log of the agent says more.",
            ),
            status if status.is_client_error() => (
                "The request could not be read.",
                "Go back, check what was typed, and send it again.",
            ),
            _ => (
                "The agent could not answer.",
                "Try again; the log of the agent says what went wrong.",
            ),
        };
        Self::new(status, what, next)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Missing { what, .. } => Self::missing(
                format!("{}.", sentence(&error.to_string())),
                format!("It may have ended or been taken away; open the list of {what}s."),
            ),
            StoreError::State(why) => Self::new(
                StatusCode::CONFLICT,
                format!("{}.", sentence(why)),
                "Load the page again to see how it stands.",
            ),
            // Where the store is concerns nobody who has no password; the log and `/readyz` name it.
            StoreError::Full { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The store has no room left.",
                "Make room; the log of the agent names the place.",
            ),
            StoreError::Busy | StoreError::Unavailable { .. } | StoreError::Away { .. } => {
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The store cannot be reached at present.",
                    "Try again in a minute; the log of the agent says more.",
                )
            }
            StoreError::Address(_)
            | StoreError::Open { .. }
            | StoreError::Refused { .. }
            | StoreError::Damaged { .. }
            | StoreError::Newer { .. }
            | StoreError::Database { .. } => {
                tracing::error!(error = error.chain(), "the page could not ask the store");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The store did not answer as it should.",
                    "Try again; the log of the agent says what went wrong.",
                )
            }
        }
    }
}

/// With a capital first letter and without a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_where_the_store_is() {
        let why = || "no route to 10.1.2.3".into();
        let (path, server) = (|| "/srv/harbor.db".into(), || "watch@10.1.2.3:5432/harbor".into());
        let errors = [
            StoreError::Address(server()),
            StoreError::Open { path: path(), source: why() },
            StoreError::Damaged { path: path(), source: why() },
            StoreError::Full { store: server() },
            StoreError::Newer { store: server() },
            StoreError::Unavailable { path: path(), source: why() },
            StoreError::Refused { server: server(), source: why() },
            StoreError::Away { server: server(), source: why() },
            StoreError::Busy,
            StoreError::Database { doing: "load what harbor has", source: why() },
        ];
        for error in errors {
            let said = error.to_string();
            let fault = Fault::from(error);
            assert!(fault.status.is_server_error(), "{said}: {}", fault.status);
            let told = format!("{} {}", fault.what, fault.next);
            assert!(!told.contains("harbor") && !told.contains("10.1.2.3"), "{said}: {told}");
        }
    }
}
