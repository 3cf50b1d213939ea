//! The log store: as much of its SQL as counts, groups and matches, over traffic that never ends.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::{State, Stream};
use crate::api::{Ask, Reply};

/// The longest window.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// The most rows of an answer.
const ROWS: usize = 1_000;

/// Answers a question about logs. An error of the statement comes with 200.
pub(super) fn answer(state: &State, ask: &Ask<'_>) -> Reply {
    let window = match window(ask) {
        Ok(window) => window,
        Err(text) => return Reply::json(400, &json!({ "message": text })),
    };
    let sql = ask.query("sql").unwrap_or_default();
    match run(state, sql, window) {
        Ok(rows) => Reply::json(200, &json!({ "result": rows, "error": null })),
        Err(text) => {
            let error =
                json!({ "code": 400, "message": text, "status": "INVALID_ARGUMENT", "errors": [] });
            Reply::json(200, &json!({ "result": null, "error": error }))
        }
    }
}

/// The window, rounded to minutes; a minute where a time is missing.
fn window(ask: &Ask<'_>) -> Result<(i64, i64), String> {
    let read = |name: &str| match ask.query(name) {
        None => Ok(None),
        Some(text) => {
            let at: Result<Timestamp, _> = text.parse();
            at.map(Some).map_err(|_error| format!("{name}: Invalid datetime"))
        }
    };
    let minute = SignedDuration::from_mins(1);
    let (start, end) = match (read("iso_timestamp_start")?, read("iso_timestamp_end")?) {
        (Some(start), Some(end)) => (start, end),
        (Some(start), None) => (start, start.checked_add(minute).unwrap_or(start)),
        (None, end) => {
            let end = end.unwrap_or(ask.now);
            (end.checked_sub(minute).unwrap_or(end), end)
        }
    };
    if end.duration_since(start) > WINDOW {
        return Err("Timestamp range cannot exceed 24 hours".to_owned());
    }
    // What has not happened yet is in no log.
    let minute = |at: Timestamp| at.as_second().div_euclid(60) * 60;
    Ok((minute(start), minute(end).min(ask.now.as_second())))
}

/// One column of the answer.
enum Column {
    Attribute(String),
    Number(String),
    Count,
    CountMatches(Regex),
    Quantile(f64, String),
}

/// Lines of one kind in a window.
struct Lines<'s> {
    stream: &'s Stream,
    function: &'s str,
    times: u64,
}

impl Lines<'_> {
    fn attribute(&self, name: &str) -> String {
        match name {
            "function_id" => self.function.to_owned(),
            "response.status_code" => self.stream.status.to_string(),
            "execution_time_ms" => self.stream.ms.to_string(),
            _ => String::new(),
        }
    }

    fn number(&self, name: &str) -> u32 {
        self.attribute(name).parse().unwrap_or_default()
    }
}

fn run(state: &State, sql: &str, window: (i64, i64)) -> Result<Vec<Value>, String> {
    let lower = sql.to_ascii_lowercase();
    if lower.contains("count(*)") || lower.contains("select *") {
        return Err("wildcards are not supported".to_owned());
    }
    let inner = sql.strip_prefix("select ").ok_or("only SELECT is allowed")?;
    let (columns, rest) = inner.split_once(" from logs where ").ok_or("unknown table")?;
    let (filter, rest) = rest.split_once(" group by ").ok_or("GROUP BY is missing")?;
    let (groups, rest) = rest.split_once(" order by ").ok_or("ORDER BY is missing")?;
    let (order, limit) = rest.split_once(" limit ").ok_or("LIMIT is required")?;
    let column = state.source_column.as_deref().unwrap_or("source");
    let (name, source) = filter.split_once(" = ").ok_or("a filter on the source is required")?;
    if name != column {
        return Err(format!("Unknown expression identifier `{name}` in scope"));
    }
    let prints = match source {
        "'function_edge_logs'" => false,
        "'function_logs'" => true,
        _ => return Ok(Vec::new()),
    };
    let columns: Vec<(String, Column)> =
        top_level(columns).into_iter().map(read_column).collect::<Result<_, _>>()?;
    let groups: Vec<&str> = groups.split(", ").collect();
    let mut grouped: BTreeMap<Vec<String>, Vec<Lines<'_>>> = BTreeMap::new();
    for lines in lines(state, prints, window) {
        let key = groups.iter().map(|group| key_of(group, &columns, &lines)).collect();
        grouped.entry(key).or_default().push(lines);
    }
    let mut rows: Vec<Map<String, Value>> = grouped
        .into_values()
        .map(|lines| {
            columns.iter().map(|(name, column)| (name.clone(), cell(column, &lines))).collect()
        })
        .collect();
    let by = order.strip_suffix(" desc").unwrap_or(order);
    rows.sort_by_key(|row| std::cmp::Reverse(row.get(by).and_then(Value::as_u64)));
    let limit = limit.trim().parse::<usize>().map_err(|_error| "LIMIT is no number")?.min(ROWS);
    Ok(rows.into_iter().take(limit).map(Value::Object).collect())
}

/// The streams with what of them lies in a window.
fn lines(state: &State, prints: bool, (start, end): (i64, i64)) -> impl Iterator<Item = Lines<'_>> {
    state.traffic.values().filter_map(move |stream| {
        let function = state.function.get(&stream.function)?;
        let every = i64::from(stream.every.max(1));
        let times = (end.div_euclid(every) - start.div_euclid(every)).max(0);
        let times = u64::try_from(times).unwrap_or_default();
        let fits = stream.text.is_empty() != prints && times > 0;
        fits.then_some(Lines { stream, function: &function.id, times })
    })
}

fn key_of(group: &str, columns: &[(String, Column)], lines: &Lines<'_>) -> String {
    match columns.iter().find(|(name, _)| name == group).map(|(_, column)| column) {
        Some(Column::Attribute(name) | Column::Number(name)) => lines.attribute(name),
        _ => String::new(),
    }
}

fn cell(column: &Column, lines: &[Lines<'_>]) -> Value {
    let Some(first) = lines.first() else { return Value::Null };
    let sum = |fits: &dyn Fn(&Lines<'_>) -> bool| -> u64 {
        lines.iter().filter(|one| fits(one)).map(|one| one.times).sum()
    };
    match column {
        Column::Attribute(name) => first.attribute(name).into(),
        Column::Number(name) => first.number(name).into(),
        Column::Count => sum(&|_| true).into(),
        Column::CountMatches(pattern) => sum(&|one| pattern.is_match(&one.stream.text)).into(),
        Column::Quantile(part, name) => {
            let mut values: Vec<(u32, u64)> =
                lines.iter().map(|one| (one.number(name), one.times)).collect();
            values.sort_unstable();
            #[allow(clippy::cast_precision_loss, reason = "counts of a day are small")]
            let wanted = part * sum(&|_| true) as f64;
            let mut passed = 0.0;
            let found = values.iter().find(|(_, times)| {
                #[allow(clippy::cast_precision_loss, reason = "counts of a day are small")]
                let times = *times as f64;
                passed += times;
                passed >= wanted
            });
            found.map_or(Value::Null, |(value, _)| json!(f64::from(*value)))
        }
    }
}

/// `expression as name`.
fn read_column(text: &str) -> Result<(String, Column), String> {
    let unknown = || format!("Syntax error near {text:?}");
    let (expression, name) = text.rsplit_once(" as ").ok_or_else(unknown)?;
    let attribute = |text: &str| {
        let name = text.strip_prefix("log_attributes['")?.strip_suffix("']")?;
        Some(name.to_owned())
    };
    let number = |text: &str| attribute(text.strip_prefix("toInt32OrZero(")?.strip_suffix(')')?);
    let column = if expression == "count()" {
        Column::Count
    } else if let Some(name) = attribute(expression) {
        Column::Attribute(name)
    } else if let Some(name) = number(expression) {
        Column::Number(name)
    } else if let Some(pattern) = expression
        .strip_prefix("countIf(match(event_message, '")
        .and_then(|rest| rest.strip_suffix("'))"))
    {
        Column::CountMatches(Regex::new(pattern).map_err(|_error| unknown())?)
    } else {
        let rest = expression.strip_prefix("quantile(").ok_or_else(unknown)?;
        let (part, rest) = rest.split_once(")(").ok_or_else(unknown)?;
        let name = rest.strip_suffix(')').and_then(number).ok_or_else(unknown)?;
        Column::Quantile(part.parse().map_err(|_error| unknown())?, name)
    };
    Ok((name.to_owned(), column))
}

/// The parts between commas that stand in no parenthesis and no quote.
fn top_level(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut level, mut quoted, mut from) = (0_i32, false, 0);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => level += 1,
            ')' if !quoted => level -= 1,
            ',' if !quoted && level == 0 => {
                parts.extend(text.get(from..at).map(str::trim));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(from..).map(str::trim));
    parts
}
