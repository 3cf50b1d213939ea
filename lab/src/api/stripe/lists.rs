//! Lists: limits, cursors and filters as the vendor documents them.

use serde_json::{Value, json};

use super::entries::{Entry, List};
use super::{Stripe, error, objects};
use crate::api::{Ask, Reply};
use crate::sales::read_id;

/// The page of a list that the request asks for.
pub(super) fn list(stripe: &Stripe, list: List, ask: &Ask<'_>, live: bool) -> Result<Reply, Reply> {
    let limit = limit(ask)?;
    let span = (second(ask, "created[gte]")?, second(ask, "created[lt]")?);
    let span = (span.0.unwrap_or(i64::MIN), span.1.unwrap_or(i64::MAX));
    let types = types(ask)?;
    let cursor = ask.query("starting_after");
    let no_such = |id: &str| {
        let message = format!("No such {}: '{id}'", list.object().0);
        error(
            400,
            "invalid_request_error",
            &message,
            Some("resource_missing"),
            Some("starting_after"),
        )
    };
    let after = match cursor {
        Some(id) => Some(list.read(id).ok_or_else(|| no_such(id))?),
        None => None,
    };
    let entries = stripe.entries(list, span, after, ask.now);
    let entries = entries.map_err(|_no_such| no_such(cursor.unwrap_or_default()))?;
    // Nothing of live mode is seen with a test key.
    let mut page = entries.filter(|entry| live && wanted(stripe, list, *entry, ask, &types));
    let data: Vec<Value> =
        page.by_ref().take(limit).map(|entry| objects::object(stripe, list, entry, ask)).collect();
    let more = page.next().is_some();
    Ok(Reply::json(200, &envelope(list.path(), &data, more)))
}

/// One object by its id.
pub(super) fn one(
    stripe: &Stripe,
    list: List,
    id: &str,
    ask: &Ask<'_>,
    live: bool,
) -> Result<Reply, Reply> {
    let entry = list.read(id).filter(|_| live).and_then(|read| stripe.entry(list, read, ask.now));
    let Some(entry) = entry else {
        let message = format!("No such {}: '{id}'", list.object().0);
        return Err(error(
            404,
            "invalid_request_error",
            &message,
            Some("resource_missing"),
            Some("id"),
        ));
    };
    Ok(Reply::json(200, &objects::object(stripe, list, entry, ask)))
}

pub(super) fn webhooks(stripe: &Stripe, ask: &Ask<'_>, live: bool) -> Result<Reply, Reply> {
    let limit = limit(ask)?;
    let all = stripe.account.webhook.iter().filter(|_| live);
    let mut all: Vec<Value> = all.map(|(name, webhook)| objects::webhook(name, webhook)).collect();
    if let Some(cursor) = ask.query("starting_after") {
        let place = all.iter().position(|webhook| webhook["id"] == cursor);
        all.drain(..=place.unwrap_or_default().min(all.len().saturating_sub(1)));
    }
    let more = all.len() > limit;
    all.truncate(limit);
    Ok(Reply::json(200, &envelope("/v1/webhook_endpoints", &all, more)))
}

pub(super) fn destinations(stripe: &Stripe, ask: &Ask<'_>, live: bool) -> Reply {
    let included = ask
        .query
        .iter()
        .any(|(name, value)| name.starts_with("include") && value == "webhook_endpoint.url");
    let all = stripe.account.destination.iter().filter(|_| live);
    let data: Vec<Value> =
        all.map(|(name, destination)| objects::destination(name, destination, included)).collect();
    Reply::json(200, &json!({ "data": data, "next_page_url": null, "previous_page_url": null }))
}

fn envelope(url: &str, data: &[Value], more: bool) -> Value {
    json!({ "object": "list", "url": url, "has_more": more, "data": data })
}

fn limit(ask: &Ask<'_>) -> Result<usize, Reply> {
    let Some(text) = ask.query("limit") else { return Ok(10) };
    let limit = text.parse::<usize>().ok().filter(|limit| (1..=100).contains(limit));
    limit.ok_or_else(|| {
        let message = format!("Invalid integer: {text}; limit is between 1 and 100");
        error(
            400,
            "invalid_request_error",
            &message,
            Some("parameter_invalid_integer"),
            Some("limit"),
        )
    })
}

fn second(ask: &Ask<'_>, name: &str) -> Result<Option<i64>, Reply> {
    let Some(text) = ask.query(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_source| {
        let message = format!("Invalid timestamp: {text}");
        error(400, "invalid_request_error", &message, Some("parameter_invalid_integer"), Some(name))
    })
}

fn types(ask: &Ask<'_>) -> Result<Vec<String>, Reply> {
    let each = |name: &str| name.starts_with("types[");
    let types: Vec<String> =
        ask.query.iter().filter(|(name, _)| each(name)).map(|(_, value)| value.clone()).collect();
    if types.len() > 20 {
        let message = "You may only specify up to 20 types.";
        return Err(error(400, "invalid_request_error", message, None, Some("types")));
    }
    if !types.is_empty() && ask.query("type").is_some() {
        let message = "You may only specify one of these parameters: type, types.";
        return Err(error(400, "invalid_request_error", message, None, Some("type")));
    }
    Ok(types.into_iter().chain(ask.query("type").map(str::to_owned)).collect())
}

/// Whether an entry passes the filters of its list.
fn wanted(stripe: &Stripe, list: List, entry: Entry, ask: &Ask<'_>, types: &[String]) -> bool {
    let of_sale = |name: &str, start: &str| {
        ask.query(name).is_none_or(|id| read_id(start, id) == Some((entry.kind, entry.number)))
    };
    match list {
        List::Events => {
            let kind = stripe.event_type(entry.kind);
            let named = |wanted: &String| match wanted.strip_suffix('*') {
                Some(start) => kind.starts_with(start),
                None => wanted == kind,
            };
            let delivered = !stripe.undelivered(entry);
            let asked = ask.query("delivery_success").map(|text| text == "true");
            (types.is_empty() || types.iter().any(named))
                && asked.is_none_or(|asked| asked == delivered)
        }
        List::Sessions => {
            let status = if entry.kind == 'S' { "complete" } else { "expired" };
            ask.query("status").is_none_or(|asked| asked == status)
                && of_sale("payment_intent", "pi_3")
                && of_sale("customer", "cus_")
                && of_sale("subscription", "sub_1")
        }
        List::Intents => of_sale("customer", "cus_"),
        List::Charges | List::Refunds | List::Disputes => of_sale("payment_intent", "pi_3"),
        List::Subscriptions => {
            let status = objects::subscription_status(stripe, entry, ask.now);
            of_sale("customer", "cus_")
                && ask
                    .query("status")
                    .map_or(status != "canceled", |asked| asked == "all" || asked == status)
        }
    }
}
