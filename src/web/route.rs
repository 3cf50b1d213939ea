//! Which address is served by what.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use tokio::sync::{OnceCell, Semaphore};

use super::heartbeat::{self, Pace};
use super::limits::Limiter;
use super::session::Key;
use super::{Site, api, guard, live, machine, pages};

/// The most bytes of a body.
const BODY_BYTES: usize = 64 * 1024;
/// The most pages that follow changes at once.
const FOLLOWERS: usize = 64;

/// What the routes share beside the site.
pub(super) struct Web {
    pub(super) site: Arc<Site>,
    pub(super) key: OnceCell<Key>,
    /// Wrong passwords of the form.
    pub(super) logins: Limiter,
    /// Wrong passwords in headers.
    pub(super) headers: Limiter,
    /// Calls of jobs.
    pub(super) pace: Pace,
    /// The public pages as they were last drawn.
    pub(super) status: pages::Remembered,
    /// What an open page looks for, as it was last read.
    pub(super) seen: live::Seen,
    pub(super) followers: Arc<Semaphore>,
}

/// The page and the API, with everything that guards them.
pub fn router(site: Arc<Site>) -> Router {
    let web = Arc::new(Web {
        site,
        key: OnceCell::new(),
        logins: Limiter::default(),
        headers: Limiter::default(),
        pace: Pace::default(),
        status: pages::Remembered::default(),
        seen: live::Seen::default(),
        followers: Arc::new(Semaphore::new(FOLLOWERS)),
    });
    let people = Router::new()
        .route("/", get(pages::overview))
        .route("/projects/{project}", get(pages::project))
        .route("/projects/{project}/out-of-step", get(pages::out_of_step))
        .route("/projects/{project}/handover", get(pages::handover))
        .route("/projects/{project}/handover.md", get(pages::handover_file))
        .route("/projects/{project}/run", post(pages::run_all))
        .route("/projects/{project}/checks/{check}", get(pages::check))
        .route("/projects/{project}/checks/{check}/run", post(pages::run_check))
        .route("/incidents", get(pages::incidents))
        .route("/incidents/{id}", get(pages::incident))
        .route("/incidents/{id}/ack", post(pages::acknowledge))
        .route("/incidents/{id}/resolve", post(pages::resolve))
        .route("/incidents/{id}/silence", post(pages::silence_incident))
        .route("/silences", get(pages::silences).post(pages::add_silence))
        .route("/silences/{id}/end", post(pages::end_silence))
        .route("/waivers", get(pages::waivers).post(pages::add_waiver))
        .route("/waivers/{id}/remove", post(pages::remove_waiver))
        .route("/checks", get(pages::handbook))
        .route("/checks/{id}", get(pages::handbook_page))
        .route("/status", get(pages::status))
        .route("/login", get(pages::login).post(pages::sign_in))
        .route("/logout", post(pages::sign_out))
        .route("/events", get(live::events))
        .route("/static/{file}", get(pages::file));
    let programs = Router::new()
        .route("/api/v1/session", get(api::session))
        .route("/api/v1/projects", get(api::projects))
        .route("/api/v1/projects/{project}/report", get(api::report))
        .route("/api/v1/projects/{project}/out-of-step", get(api::out_of_step))
        .route("/api/v1/projects/{project}/run", post(api::run))
        .route("/api/v1/projects/{project}/checks/{check}", get(api::check))
        .route("/api/v1/incidents", get(api::incidents))
        .route("/api/v1/incidents/{id}", get(api::incident))
        .route("/api/v1/incidents/{id}/ack", post(api::acknowledge))
        .route("/api/v1/incidents/{id}/resolve", post(api::resolve))
        .route("/api/v1/silences", get(api::silences).post(api::add_silence))
        .route("/api/v1/silences/{id}", delete(api::end_silence))
        .route("/api/v1/waivers", get(api::waivers).post(api::add_waiver))
        .route("/api/v1/waivers/{id}", delete(api::remove_waiver))
        .route("/metrics", get(machine::metrics))
        .route("/sd", get(machine::discovery))
        .route("/probe", get(machine::probe))
        .route("/heartbeat/{token}", get(heartbeat::call).post(heartbeat::call))
        .route("/heartbeat/{token}/{signal}", get(heartbeat::call).post(heartbeat::call))
        .route("/healthz", get(machine::alive))
        .route("/readyz", get(machine::ready));
    people
        .merge(programs)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&web), guard::guard))
        .with_state(web)
}
