//! What every page has around its content, and the page of a request that was not served.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::files;
use crate::clock::Clock;
use crate::web::fault::Fault;
use crate::web::guard::{Caller, Who};
use crate::web::{show, time};

/// The head of a page and its navigation.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// The title, without the program's name.
    pub(super) title: String,
    /// The entry of the navigation that the page belongs to; empty for none.
    pub(super) here: &'static str,
    /// The form token.
    pub(super) token: String,
    /// Whether there is a session to end.
    pub(super) signed_in: bool,
    /// Whether the navigation is shown: not to strangers.
    pub(super) inside: bool,
    /// Whether the page draws itself anew when something changes.
    pub(super) live: bool,
    /// What was just done.
    pub(super) done: Option<&'static str>,
    /// What has to be said of the agent's clock.
    pub(super) pace: Option<String>,
    /// The part of the address of style and script that changes with them.
    pub(super) version: &'static str,
}

impl Frame {
    pub(super) fn new(title: impl Into<String>, here: &'static str, caller: &Caller) -> Self {
        Self {
            title: title.into(),
            here,
            token: caller.token.clone(),
            signed_in: matches!(caller.who, Who::Session(_)),
            inside: true,
            live: false,
            done: None,
            pace: caller.pace.clone(),
            version: files::version(),
        }
    }

    /// The frame of a page that strangers see.
    pub(super) fn outside(title: impl Into<String>) -> Self {
        let caller = Caller { who: Who::Anyone, token: String::new(), pace: None };
        Self { inside: false, ..Self::new(title, "", &caller) }
    }

    /// Draws itself anew when something changes.
    pub(super) fn live(self) -> Self {
        Self { live: true, ..self }
    }

    /// Says how fast the clock runs, where that is not as fast as the reader's.
    pub(super) fn paced(self, clock: &dyn Clock) -> Self {
        Self { pace: time::pace(clock), ..self }
    }

    /// Says what was just done.
    pub(super) fn done(self, done: &Done) -> Self {
        Self { done: done.words(), ..self }
    }
}

/// What was just done, as the address of the page says it.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct Done {
    done: Option<String>,
}

/// Everything that a page may say about what was done: the address holds no text of its own.
const DONE: [(&str, &str); 8] = [
    ("acknowledged", "Acknowledged. The channels are told, and reminders stop."),
    ("resolved", "Resolved by hand. It opens again when the next look sees it."),
    ("silenced", "Silenced. The checks go on; messages are held back until it ends."),
    ("ended", "The silence has ended."),
    ("waived", "Waived. It no longer counts for the verdict until the date given."),
    ("removed", "The waiver is gone: what it accepted counts again."),
    ("due", "Due now. The result is here when the look has ended, mostly within a minute."),
    ("signed-out", "Signed out."),
];

impl Done {
    fn words(&self) -> Option<&'static str> {
        let done = self.done.as_deref()?;
        DONE.iter().find(|(name, _)| *name == done).map(|(_, words)| *words)
    }
}

/// Leads to a page that says what was done.
pub(super) fn after(path: &str, done: &str) -> Response {
    debug_assert!(DONE.iter().any(|(name, _)| *name == done), "{done} has no words");
    Redirect::to(&format!("{path}?done={done}")).into_response()
}

#[derive(Template)]
#[template(path = "web/fault.html")]
struct Page<'a> {
    frame: Frame,
    fault: &'a Fault,
    code: u16,
}

/// The page of a request that was not served.
pub(in crate::web) fn fault_page(fault: &Fault) -> Response {
    let title = fault.status.canonical_reason().unwrap_or("Not served");
    let page = Page { frame: Frame::outside(title), fault, code: fault.status.as_u16() };
    match show::draw(&page) {
        Ok(html) => (fault.status, show::answer(html)).into_response(),
        Err(_worse) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
