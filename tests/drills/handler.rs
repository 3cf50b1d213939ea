//! A small handler of Stripe's events on PostgreSQL, as a founder would write it: rightly, or with one of the
//! faults that are usual.

use std::net::SocketAddr;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use launchready::clock::{Clock as _, SystemClock};
use serde_json::Value;
use sqlx::postgres::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The signing secret of the endpoint.
pub(crate) const SECRET: &str = "whsec_dGhlLWRyaWxsJ3Mtb3duLXNlY3JldA";
/// The tolerance of Stripe's libraries.
const TOLERANCE_S: i64 = 300;

/// What the handler does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It knows no event again.
    NoDedupe,
    /// It looks an event up, does the work, and only then marks it as known.
    DedupeAfterTheWork,
    /// It answers, and stores then.
    AnswersBeforeStoring,
    /// It believes everybody.
    NoSignature,
    /// It believes what was signed at any time.
    NoTolerance,
    /// A repeat is an error.
    RepeatIsAnError,
    /// It takes a checkout that is complete for one that is paid.
    CompleteIsPaid,
    /// Older news overwrite newer ones.
    SetsBack,
    /// It makes orders of two types of event.
    TwoTypes,
    /// It counts euros as cents.
    WrongAmount,
    /// It hands each order to the CRM twice.
    SyncsTwice,
    /// It takes everything and does nothing.
    DoesNothing,
    /// It knows no events about failures.
    NotFound,
    /// It marks an order as paid that the metadata name.
    MarksNamedOrder,
    /// It stores no amount.
    NoAmount,
}

#[derive(Clone)]
struct App {
    pool: PgPool,
    fault: Fault,
}

/// A handler that runs until it is dropped.
pub(crate) struct Handler {
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The tables of a small shop.
pub(crate) const TABLES: &str = "
    create table stripe_events (event_id text primary key, type text not null,
        received_at timestamptz not null default now());
    create table orders (id uuid primary key default gen_random_uuid(), stripe_session_id text,
        payment_intent_id text, email text, amount_total integer, currency text not null,
        status text not null, created_at timestamptz not null default now());
    create table crm_sync_log (id bigserial primary key, order_id uuid not null references orders,
        status text not null, created_at timestamptz not null default now());";

impl Handler {
    /// Starts a handler on a database.
    pub(crate) async fn start(pool: PgPool, fault: Fault) -> Self {
        let app = App { pool, fault };
        let router = Router::new().route("/stripe", post(take)).with_state(app);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, serving }
    }
}

async fn take(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    if app.fault != Fault::NoSignature && !is_genuine(signature, &body, app.fault) {
        return StatusCode::BAD_REQUEST;
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    match app.fault {
        Fault::AnswersBeforeStoring => {
            tokio::spawn(async move {
                // The work that it puts off.
                sqlx::query("select pg_sleep(1)").execute(&app.pool).await.unwrap();
                rightly(&app, &event).await.unwrap();
            });
            return StatusCode::OK;
        }
        Fault::DoesNothing => return StatusCode::OK,
        Fault::NotFound => return StatusCode::NOT_FOUND,
        _ => {}
    }
    let done = match app.fault {
        Fault::NoDedupe => without_dedupe(&app, &event).await,
        Fault::DedupeAfterTheWork => dedupe_after(&app, &event).await,
        _ => rightly(&app, &event).await,
    };
    match done {
        Ok(status) => status,
        Err(_error) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn is_genuine(signature: Option<&str>, body: &[u8], fault: Fault) -> bool {
    let Some(signature) = signature else { return false };
    let part = |name: &str| {
        signature.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let (Some(at), Some(v1)) = (part("t"), part("v1")) else { return false };
    let Ok(age) = at.parse::<i64>().map(|at| SystemClock.now().as_second() - at) else {
        return false;
    };
    if fault != Fault::NoTolerance && age > TOLERANCE_S {
        return false;
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let mut text = format!("{at}.").into_bytes();
    text.extend_from_slice(body);
    hex::decode(v1).is_ok_and(|given| hmac::verify(&key, &text, &given).is_ok())
}

/// What the handler has to do for an event: nothing, or an order with this status.
fn wanted(event: &Value, fault: Fault) -> Option<&'static str> {
    let is_paid = event["data"]["object"]["payment_status"] == "paid";
    match event["type"].as_str()? {
        "checkout.session.completed" if is_paid || fault == Fault::CompleteIsPaid => Some("paid"),
        "checkout.session.completed" if fault == Fault::SetsBack => Some("pending"),
        "checkout.session.async_payment_succeeded" => Some("paid"),
        "payment_intent.succeeded" if fault == Fault::TwoTypes => Some("paid"),
        _ => None,
    }
}

/// One transaction: the event first, and the order only where the event is new.
async fn rightly(app: &App, event: &Value) -> sqlx::Result<StatusCode> {
    let mut on = app.pool.begin().await?;
    let new = sqlx::query(
        "insert into stripe_events (event_id, type) values ($1, $2) on conflict do nothing",
    )
    .bind(event["id"].as_str())
    .bind(event["type"].as_str())
    .execute(&mut *on)
    .await?;
    if new.rows_affected() == 0 {
        on.commit().await?;
        return Ok(match app.fault {
            Fault::RepeatIsAnError => StatusCode::CONFLICT,
            _ => StatusCode::OK,
        });
    }
    if let Some(status) = wanted(event, app.fault) {
        order(&mut on, event, status, app.fault).await?;
    }
    on.commit().await?;
    Ok(StatusCode::OK)
}

async fn without_dedupe(app: &App, event: &Value) -> sqlx::Result<StatusCode> {
    let mut on = app.pool.acquire().await?;
    if let Some(status) = wanted(event, app.fault) {
        order(&mut on, event, status, app.fault).await?;
    }
    Ok(StatusCode::OK)
}

async fn dedupe_after(app: &App, event: &Value) -> sqlx::Result<StatusCode> {
    let id = event["id"].as_str();
    let mut on = app.pool.acquire().await?;
    let known = sqlx::query("select 1 from stripe_events where event_id = $1")
        .bind(id)
        .fetch_optional(&mut *on)
        .await?;
    if known.is_some() {
        return Ok(StatusCode::OK);
    }
    if let Some(status) = wanted(event, app.fault) {
        order(&mut on, event, status, app.fault).await?;
    }
    // The call to a slow CRM, as it stands in so many handlers.
    sqlx::query("select pg_sleep(0.2)").execute(&mut *on).await?;
    sqlx::query(
        "insert into stripe_events (event_id, type) values ($1, $2) on conflict do nothing",
    )
    .bind(id)
    .bind(event["type"].as_str())
    .execute(&mut *on)
    .await?;
    Ok(StatusCode::OK)
}

async fn order(
    on: &mut sqlx::postgres::PgConnection,
    event: &Value,
    status: &str,
    fault: Fault,
) -> sqlx::Result<()> {
    let object = &event["data"]["object"];
    let is_session = object["object"] == "checkout.session";
    let session = is_session.then(|| object["id"].as_str()).flatten();
    if fault == Fault::MarksNamedOrder {
        sqlx::query("update orders set status = $2, stripe_session_id = $3 where id::text = $1")
            .bind(object["metadata"]["order_id"].as_str())
            .bind(status)
            .bind(session)
            .execute(&mut *on)
            .await?;
        return Ok(());
    }
    if fault == Fault::SetsBack {
        let changed = sqlx::query("update orders set status = $2 where stripe_session_id = $1")
            .bind(session)
            .bind(status)
            .execute(&mut *on)
            .await?;
        if changed.rows_affected() > 0 {
            return Ok(());
        }
    }
    let payment = if is_session { &object["payment_intent"] } else { &object["id"] };
    let amount = object["amount_total"].as_i64().or(object["amount"].as_i64()).unwrap_or(0);
    let amount = if fault == Fault::WrongAmount { amount / 100 } else { amount };
    sqlx::query(
        "with made as (insert into orders (stripe_session_id, payment_intent_id, email, amount_total, \
         currency, status) values ($1, $2, $3, $4, $5, $6) returning id) \
         insert into crm_sync_log (order_id, status) \
         select id, 'ok' from made, generate_series(1, $7)",
    )
    .bind(session)
    .bind(payment.as_str())
    .bind(object["customer_email"].as_str().or(object["receipt_email"].as_str()))
    .bind((fault != Fault::NoAmount).then(|| i32::try_from(amount).unwrap()))
    .bind(object["currency"].as_str())
    .bind(status)
    .bind(if fault == Fault::SyncsTwice { 2 } else { 1 })
    .execute(&mut *on)
    .await?;
    Ok(())
}
