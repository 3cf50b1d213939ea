//! What Edge Functions did, counted by the provider itself: SQL for its log store, and its answers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, FunctionCalls, FunctionLogs, FunctionPrints, LOG_HOURS, Period, ProbeError,
    TargetFault,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::answers::short;

/// A query, given the name of the column that holds the source of a line.
pub(super) type Query = fn(&str) -> String;

/// The most rows that one query gives; the provider gives 1000.
const ROWS: usize = 500;

/// Lines that tell of JSON that could not be read, as Deno words it.
const JSON_ERRORS: &str = "SyntaxError.*JSON|is not valid JSON|Unexpected end of JSON";
/// Credentials of the services that founders use. Neither a quote nor a backslash stands in it, because it
/// becomes a constant of SQL.
const SECRETS: &str = "(sk|rk)_live_[0-9A-Za-z]{16}|whsec_[0-9A-Za-z]{16}|sb_secret_[0-9A-Za-z_-]{16}|\
                       sbp_[0-9a-z]{30}|gh[pousr]_[0-9A-Za-z]{36}|xox[abp]-[0-9A-Za-z-]{20}|\
                       SG[.][0-9A-Za-z_-]{20}|re_[0-9A-Za-z]{8}_[0-9A-Za-z]{16}|\
                       eyJ[0-9A-Za-z_-]{10,}[.]eyJ[0-9A-Za-z_-]{10,}[.]";
/// Addresses of mail.
const ADDRESSES: &str = "[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+([.][0-9A-Za-z-]+)*[.][A-Za-z]{2,}";

/// Calls by function and status.
pub(super) fn statuses(source: &str) -> String {
    format!(
        "select log_attributes['function_id'] as fn, toInt32OrZero(log_attributes['response.status_code']) as \
         status, count() as n from logs where {source} = 'function_edge_logs' group by fn, status order by n \
         desc limit {ROWS}"
    )
}

/// How long calls took, by function.
pub(super) fn times(source: &str) -> String {
    format!(
        "select log_attributes['function_id'] as fn, \
         quantile(0.95)(toInt32OrZero(log_attributes['execution_time_ms'])) as p95_ms, count() as n from logs \
         where {source} = 'function_edge_logs' group by fn order by n desc limit {ROWS}"
    )
}

/// Lines by function and kind.
pub(super) fn printed(source: &str) -> String {
    let lines = |pattern: &str| format!("countIf(match(event_message, '{pattern}'))");
    format!(
        "select log_attributes['function_id'] as fn, count() as lines, {} as json_errors, {} as secrets, {} as \
         addresses from logs where {source} = 'function_logs' group by fn order by lines desc limit {ROWS}",
        lines(JSON_ERRORS),
        lines(SECRETS),
        lines(ADDRESSES),
    )
}

/// Begin and end of a window as the API wants them: whole minutes, and at most a day.
pub(super) fn window(period: Period, now: Timestamp) -> Result<(String, String), ProbeError> {
    let minute = |at: Timestamp| Timestamp::from_second(at.as_second().div_euclid(60) * 60);
    let end = period.until.unwrap_or(now);
    let odd = |_error: jiff::Error| AgentFault::Bug("a window outside of time".to_owned());
    let end = minute(end).map_err(odd)?;
    let first = end.checked_sub(SignedDuration::from_hours(LOG_HOURS)).map_err(odd)?;
    let start = minute(period.since).map_err(odd)?.max(first);
    if start >= end {
        return Err(AgentFault::Bug("an empty window of logs".to_owned()).into());
    }
    Ok((start.to_string(), end.to_string()))
}

#[derive(Debug, Deserialize)]
struct Logged {
    #[serde(default)]
    result: Option<Vec<Value>>,
    #[serde(default)]
    error: Option<Value>,
}

/// The rows of an answer, or the error that it carries: HTTP 200 alone means nothing here.
pub(super) fn rows(body: &[u8]) -> Result<Result<Vec<Value>, String>, ProbeError> {
    let logged: Logged = json::from_slice(body).map_err(|error| {
        let what = format!("the logs of Supabase are JSON of another shape: {error}");
        TargetFault::Malformed(what)
    })?;
    if let Some(error) = logged.error {
        return Ok(Err(words(&error)));
    }
    match logged.result {
        Some(rows) => Ok(Ok(rows)),
        None => Err(malformed("neither a result nor an error")),
    }
}

/// An error in its three forms: a text, an object with a message, an object with errors.
fn words(error: &Value) -> String {
    let message = |value: &Value| value.get("message").and_then(Value::as_str).map(str::to_owned);
    let first = error.get("errors").and_then(Value::as_array).and_then(|all| all.first());
    let text = error.as_str().map(str::to_owned);
    let text = text.or_else(|| first.and_then(message)).or_else(|| message(error));
    short(&text.unwrap_or_else(|| "it does not say which".to_owned()))
}

/// Whether an error says that the column of the source has another name.
pub(super) fn is_unknown_column(error: &str) -> bool {
    let error = error.to_ascii_lowercase();
    error.contains("source")
        && ["unknown", "missing", "not found", "no such", "identifier", "does not exist"]
            .iter()
            .any(|word| error.contains(word))
}

fn malformed(what: &str) -> ProbeError {
    TargetFault::Malformed(format!("the logs of Supabase hold {what}")).into()
}

/// Calls by function, from both queries.
pub(super) fn calls(
    statuses: &[Value],
    times: &[Value],
) -> Result<FunctionLogs<FunctionCalls>, ProbeError> {
    let mut all: BTreeMap<String, FunctionCalls> = BTreeMap::new();
    for row in statuses {
        let row = object(row)?;
        let status = whole(row, "status")?;
        let status = u16::try_from(status).map_err(|_error| malformed("a status that is none"))?;
        let n = whole(row, "n")?;
        let function = function(row)?;
        let one = all.entry(function.clone()).or_default();
        one.function = function;
        if one.statuses.insert(status, n).is_some() {
            return Err(malformed("one function and status twice"));
        }
    }
    for row in times {
        let row = object(row)?;
        let p95 = row.get("p95_ms").and_then(number).filter(|p95| *p95 >= 0.0);
        // A function that was called between the two queries has no count.
        if let Some(one) = all.get_mut(&function(row)?) {
            one.p95_ms = p95;
        }
    }
    let cut = statuses.len() >= ROWS || times.len() >= ROWS;
    Ok(FunctionLogs { functions: all.into_values().collect(), cut })
}

/// Lines by function.
pub(super) fn prints(rows: &[Value]) -> Result<FunctionLogs<FunctionPrints>, ProbeError> {
    let mut all: BTreeMap<String, FunctionPrints> = BTreeMap::new();
    for row in rows {
        let row = object(row)?;
        let one = FunctionPrints {
            function: function(row)?,
            lines: whole(row, "lines")?,
            json_errors: whole(row, "json_errors")?,
            secrets: whole(row, "secrets")?,
            addresses: whole(row, "addresses")?,
        };
        if all.insert(one.function.clone(), one).is_some() {
            return Err(malformed("one function twice"));
        }
    }
    Ok(FunctionLogs { functions: all.into_values().collect(), cut: rows.len() >= ROWS })
}

fn object(row: &Value) -> Result<&Map<String, Value>, ProbeError> {
    row.as_object().ok_or_else(|| malformed("a row that is none"))
}

/// The id of the function; calls that reached none have no id.
fn function(row: &Map<String, Value>) -> Result<String, ProbeError> {
    match row.get("fn") {
        Some(Value::String(id)) if id.is_empty() => Ok("(no function)".to_owned()),
        Some(Value::String(id)) => Ok(short(id)),
        _ => Err(malformed("a row without a function")),
    }
}

/// A number; the log store writes large ones as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|value| value.is_finite())
}

fn whole(row: &Map<String, Value>, name: &str) -> Result<u64, ProbeError> {
    let value = row.get(name);
    value
        .and_then(Value::as_u64)
        .or_else(|| value?.as_str()?.parse().ok())
        .ok_or_else(|| malformed(&format!("no count in {name}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_whole_minutes_and_never_longer_than_a_day() {
        let now = at("2026-11-28T12:00:30Z");
        let period = Period { since: at("2026-11-20T00:00:00Z"), until: Some(now) };
        let wanted = ("2026-11-27T12:00:00Z".to_owned(), "2026-11-28T12:00:00Z".to_owned());
        assert_eq!(window(period, now).unwrap(), wanted);
        let none = Period { since: at("2026-11-28T12:00:10Z"), until: Some(now) };
        assert!(window(none, now).is_err());
    }

    #[test]
    fn an_answer_of_200_may_carry_an_error_in_three_forms() {
        for (body, wanted) in [
            (json!({ "result": [], "error": "slow down" }), "slow down"),
            (
                json!({ "result": null, "error": { "message": "bad query", "code": 400 } }),
                "bad query",
            ),
            (
                json!({ "error": { "errors": [{ "message": "Unknown identifier: source" }] } }),
                "source",
            ),
        ] {
            let error = rows(body.to_string().as_bytes()).unwrap().unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
        assert!(is_unknown_column("Unknown identifier: source"));
        assert!(!is_unknown_column("the source of this is overloaded"));
        assert!(rows(b"{}").is_err() && rows(b"[1]").is_err() && rows(b"{\"result\":[").is_err());
        assert_eq!(rows(b"{\"result\":[],\"error\":null}").unwrap().unwrap(), Vec::<Value>::new());
    }

    #[test]
    fn counts_may_be_texts_and_what_repeats_or_lacks_a_count_is_no_answer() {
        let row = |n: Value| json!({ "fn": "a", "status": "500", "n": n });
        let read = |rows: &[Value]| calls(rows, &[json!({ "fn": "a", "p95_ms": "812.5" })]);
        let good = read(&[row(json!("3"))]).unwrap();
        assert_eq!(good.functions[0].statuses.get(&500), Some(&3));
        assert_eq!(good.functions[0].p95_ms, Some(812.5));
        assert!(read(&[row(json!(3)), row(json!(4))]).is_err());
        for bad in [json!(null), json!(-1), json!("many"), json!(1.5)] {
            assert!(read(&[row(bad)]).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_without_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either = rows(&body);
        }
    }
}
