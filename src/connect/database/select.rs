//! The statement that reads rows: each column as text, each time in UTC, each amount in its smallest coin.

use jiff::Timestamp;
use launchready_checks::probe::{AgentFault, KEYS, ProbeError, Repeated, RowQuery, Strays};

use super::mapping::{Column, Kind, Mapped, Unit};
use super::quote;

/// Which SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// That of PostgreSQL.
    Postgres,
    /// That of SQLite.
    Sqlite,
}

/// Agreed names of columns that hold a time.
const TIMES: [&str; 8] =
    ["created", "synced", "received", "processed", "at", "ends", "waiting", "replied"];
/// Currencies without a smaller coin, as Stripe counts them: "Supported currencies", zero-decimal.
const WHOLE_CURRENCIES: &str = "'BIF','CLP','DJF','GNF','JPY','KMF','KRW','MGA','PYG','RWF','VND','VUV',\
                                'XAF','XOF','XPF'";
/// Currencies with a thousandth as their smaller coin, of the same page, three-decimal.
const THOUSANDTHS: &str = "'BHD','JOD','KWD','OMR','TND'";
/// A number above is milliseconds since 1970, one below seconds: in seconds it is the year 5138.
const MILLISECONDS: &str = "100000000000";

/// The most values that are told to stand in more than one row.
const REPEATED: usize = 200;

/// Reads the answer to [`Dialect::repeated`]; `None` where it has another shape.
pub(super) fn repeated(rows: Vec<Vec<Option<String>>>) -> Option<Repeated> {
    let mut repeated = Repeated::default();
    for row in rows {
        let [value, times, total] = <[_; 3]>::try_from(row).ok()?;
        repeated.total = total?.parse().ok()?;
        repeated.values.push((value?, times?.parse().ok()?));
    }
    Some(repeated)
}

/// Reads the answer to [`Dialect::strays`]; `None` where it has another shape.
pub(super) fn strays(rows: Vec<Vec<Option<String>>>) -> Option<Strays> {
    let mut strays = Strays::default();
    for row in rows {
        match <[_; 3]>::try_from(row).ok()? {
            [Some(value), None, None] => strays.values.push(value),
            [None, Some(rows), Some(of)] => {
                (strays.rows, strays.of) = (rows.parse().ok()?, of.parse().ok()?);
            }
            _ => return None,
        }
    }
    strays.values.sort();
    Some(strays)
}

impl Dialect {
    fn text(self, value: &str) -> String {
        match self {
            Self::Postgres => quote::text(value),
            Self::Sqlite => quote::text_of_sqlite(value),
        }
    }

    /// The statement for a query, which asks for one row more than its limit.
    pub(super) fn select(self, query: &RowQuery, mapped: &Mapped) -> Result<String, ProbeError> {
        let mut shown: Vec<String> = query
            .columns
            .iter()
            .map(|agreed| {
                let column = mapped.columns.get(agreed);
                column.map_or_else(|| "NULL".to_owned(), |real| self.column(agreed, real, mapped))
            })
            .collect();
        if shown.is_empty() {
            shown.push("NULL".to_owned());
        }
        let table = quote::qualified(&mapped.relation.schema, &mapped.relation.name);
        let mut sql = format!("SELECT {} FROM {table}", shown.join(", "));
        let mut filters = Vec::new();
        if let Some((agreed, since)) = query.since {
            let column = needed(query, mapped, agreed)?;
            if self == Self::Postgres && column.kind == Kind::Other {
                let role = query.table.as_str();
                let what = format!(
                    "project.database.{role}.{agreed}: {}.{} holds no time",
                    mapped.relation.shown(),
                    column.name
                );
                return Err(AgentFault::Misconfigured(what).into());
            }
            filters.push(self.since(column, since));
        }
        if let Some((agreed, values)) = &query.among {
            if values.len() > KEYS {
                return Err(AgentFault::Bug("too many keys for one query".to_owned()).into());
            }
            filters.push(self.among(needed(query, mapped, agreed)?, values));
        }
        for (place, filter) in filters.iter().enumerate() {
            sql.push_str(if place == 0 { " WHERE " } else { " AND " });
            sql.push_str(filter);
        }
        if let Some(limit) = query.limit {
            let limit = limit.saturating_add(1).min(i64::MAX.unsigned_abs());
            sql = format!("{sql} LIMIT {limit}");
        }
        Ok(sql)
    }

    /// A column that has to exist, as text, and its table.
    fn key(self, mapped: &Mapped, agreed: &str) -> Result<(String, String), ProbeError> {
        let column = mapped.columns.get(agreed).ok_or_else(|| {
            let shown = mapped.relation.shown();
            AgentFault::Misconfigured(format!("{shown} has no column for {agreed}"))
        })?;
        let table = quote::qualified(&mapped.relation.schema, &mapped.relation.name);
        Ok((self.column(agreed, column, mapped), table))
    }

    /// How texts are put into an order that is the same everywhere.
    const fn order(self) -> &'static str {
        match self {
            Self::Postgres => "value COLLATE \"C\"",
            Self::Sqlite => "value",
        }
    }

    /// The statement for values that lead to no row of another table, with their rows, and all rows with a
    /// value. The first line is the sum.
    pub(super) fn strays(
        self,
        (from, column): (&Mapped, &str),
        (to, key): (&Mapped, &str),
    ) -> Result<String, ProbeError> {
        let (value, table) = self.key(from, column)?;
        let (known, parents) = self.key(to, key)?;
        let order = self.order();
        // Each engine has one of the two forms that it does not walk through row by row.
        let stray = match self {
            Self::Postgres => "NOT EXISTS (SELECT 1 FROM known WHERE known.value = held.value)",
            Self::Sqlite => "value NOT IN (SELECT value FROM known WHERE value IS NOT NULL)",
        };
        Ok(format!(
            "WITH held AS (SELECT {value} AS value, count(*) AS times FROM {table} GROUP BY 1), \
             known AS (SELECT {known} AS value FROM {parents}), \
             strays AS (SELECT value, times FROM held WHERE value <> '' AND {stray}) \
             SELECT NULL AS value, (SELECT coalesce(sum(times), 0) FROM strays), \
             (SELECT coalesce(sum(times), 0) FROM held WHERE value <> '') \
             UNION ALL SELECT value, NULL, NULL FROM \
             (SELECT value FROM strays ORDER BY {order} LIMIT {REPEATED}) AS first"
        ))
    }

    /// The statement for values that stand in more than one row, with the number of all of them.
    pub(super) fn repeated(self, mapped: &Mapped, agreed: &str) -> Result<String, ProbeError> {
        let (value, table) = self.key(mapped, agreed)?;
        let order = self.order();
        Ok(format!(
            "SELECT value, times, count(*) OVER () FROM (SELECT {value} AS value, count(*) AS times \
             FROM {table} GROUP BY 1 HAVING count(*) > 1) AS found \
             WHERE value <> '' ORDER BY {order} LIMIT {REPEATED}"
        ))
    }

    fn column(self, agreed: &str, column: &Column, mapped: &Mapped) -> String {
        let name = quote::name(&column.name);
        if TIMES.contains(&agreed) {
            return self.time(column, &name);
        }
        if agreed == "amount" {
            return self.amount(&name, mapped);
        }
        match self {
            Self::Postgres => format!("{name}::text"),
            Self::Sqlite => format!("CAST({name} AS TEXT)"),
        }
    }

    /// A time as RFC 3339 in UTC.
    fn time(self, column: &Column, name: &str) -> String {
        match self {
            Self::Postgres => match column.kind {
                Kind::Day => format!("to_char({name}, 'YYYY-MM-DD\"T00:00:00Z\"')"),
                // A flag in place of a time, such as `processed boolean`.
                Kind::Other => format!("{name}::text"),
                _ => format!(
                    "to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
                    postgres_time(column, name)
                ),
            },
            Self::Sqlite => sqlite_time(name),
        }
    }

    /// The condition that a column, a time, is this or later.
    pub(super) fn since(self, column: &Column, since: Timestamp) -> String {
        let name = quote::name(&column.name);
        match self {
            Self::Postgres => {
                let since = self.text(&since.to_string());
                match column.kind {
                    // As they stand, an index can serve them.
                    Kind::Zoned => format!("{name} >= {since}::timestamptz"),
                    _ => format!(
                        "{} >= ({since}::timestamptz AT TIME ZONE 'UTC')",
                        postgres_time(column, &name)
                    ),
                }
            }
            Self::Sqlite => {
                let since = since.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
                format!("{} >= {}", sqlite_time(&name), self.text(&since))
            }
        }
    }

    fn among(self, column: &Column, values: &[String]) -> String {
        let name = quote::name(&column.name);
        let column = match (self, column.kind) {
            (_, Kind::Text) => name,
            (Self::Postgres, _) => format!("{name}::text"),
            (Self::Sqlite, _) => format!("CAST({name} AS TEXT)"),
        };
        let values: Vec<_> = values.iter().map(|value| self.text(value)).collect();
        if values.is_empty() {
            "FALSE".to_owned()
        } else {
            format!("{column} IN ({})", values.join(","))
        }
    }

    /// An amount in the smallest coin; one that is not whole stays so, and is none for a check.
    fn amount(self, name: &str, mapped: &Mapped) -> String {
        let factor = match mapped.unit {
            Unit::Minor => "1".to_owned(),
            Unit::Major => self.factor(mapped.columns.get("currency")),
        };
        match self {
            Self::Postgres => format!("trim_scale({name}::numeric * {factor})::text"),
            // A file of SQLite keeps a price of 19.99 as a binary fraction.
            Self::Sqlite => format!(
                "CASE WHEN {name} IS NULL THEN NULL \
                 WHEN abs({name} * {factor} - round({name} * {factor})) < 0.000001 \
                 THEN CAST(CAST(round({name} * {factor}) AS INTEGER) AS TEXT) \
                 ELSE CAST({name} * {factor} AS TEXT) END"
            ),
        }
    }

    fn factor(self, currency: Option<&Column>) -> String {
        let Some(currency) = currency else { return "100".to_owned() };
        let name = quote::name(&currency.name);
        let name = match self {
            Self::Postgres => format!("upper({name}::text)"),
            Self::Sqlite => format!("upper({name})"),
        };
        format!(
            "(CASE WHEN {name} IN ({WHOLE_CURRENCIES}) THEN 1 WHEN {name} IN ({THOUSANDTHS}) THEN 1000 \
             ELSE 100 END)"
        )
    }
}

/// A time of PostgreSQL without its zone, in UTC.
fn postgres_time(column: &Column, name: &str) -> String {
    match column.kind {
        Kind::Zoned => format!("({name} AT TIME ZONE 'UTC')"),
        Kind::Unzoned => name.to_owned(),
        Kind::Day => format!("{name}::timestamp"),
        Kind::Whole | Kind::Decimal | Kind::Number => format!(
            "(to_timestamp(CASE WHEN {name} > {MILLISECONDS} THEN {name} / 1000.0 ELSE {name} END) \
             AT TIME ZONE 'UTC')"
        ),
        Kind::Text | Kind::Other => {
            format!("(nullif(btrim({name}::text), '')::timestamptz AT TIME ZONE 'UTC')")
        }
    }
}

/// A time of SQLite, which has no type for it: text, seconds or milliseconds since 1970. What is none
/// stays as it is, and is none for a check.
fn sqlite_time(name: &str) -> String {
    let form = "'%Y-%m-%dT%H:%M:%fZ'";
    format!(
        "CASE WHEN typeof({name}) IN ('integer', 'real') THEN strftime({form}, \
         CASE WHEN {name} > {MILLISECONDS} THEN {name} / 1000.0 ELSE {name} END, 'unixepoch') \
         ELSE coalesce(strftime({form}, {name}), CAST({name} AS TEXT)) END"
    )
}

/// A column that a query cannot do without.
fn needed<'a>(
    query: &RowQuery,
    mapped: &'a Mapped,
    agreed: &str,
) -> Result<&'a Column, ProbeError> {
    mapped.columns.get(agreed).ok_or_else(|| {
        let role = query.table.as_str();
        let what = format!(
            "project.database.{role}.{agreed}: {} has no column under a usual name; name it: {agreed} = \
             \"COLUMN\"",
            mapped.relation.shown()
        );
        AgentFault::Misconfigured(what).into()
    })
}

#[cfg(test)]
mod tests {
    use launchready_checks::probe::TableRole;

    use super::super::mapping::Relation;
    use super::*;

    fn mapped(column: &str) -> Mapped {
        let relation = Relation {
            schema: "my\"schema".to_owned(),
            name: "t;--".to_owned(),
            id: 1,
            path: None,
        };
        let column = Column { name: column.to_owned(), kind: Kind::Text };
        Mapped { relation, columns: [("id", column)].into(), unit: Unit::Minor }
    }

    #[test]
    fn hostile_names_and_values_stay_in_their_quotes() {
        let query = RowQuery {
            limit: Some(10),
            ..RowQuery::new(TableRole::Orders, &["id", "session"])
                .among("id", vec!["x' OR 1=1 --".to_owned(), "\\".to_owned()])
        };
        assert_eq!(
            Dialect::Postgres.select(&query, &mapped("i\"d")).unwrap(),
            "SELECT \"i\"\"d\"::text, NULL FROM \"my\"\"schema\".\"t;--\" WHERE \"i\"\"d\" IN \
             ('x'' OR 1=1 --',E'\\\\') LIMIT 11"
        );
        assert_eq!(
            Dialect::Sqlite.select(&query, &mapped("id")).unwrap(),
            "SELECT CAST(\"id\" AS TEXT), NULL FROM \"my\"\"schema\".\"t;--\" WHERE \"id\" IN \
             ('x'' OR 1=1 --','\\') LIMIT 11"
        );
    }

    #[test]
    fn a_filter_over_a_column_that_is_not_there_names_the_key() {
        let query =
            RowQuery::new(TableRole::Events, &["id"]).since("received", Timestamp::UNIX_EPOCH);
        let error = Dialect::Postgres.select(&query, &mapped("id")).unwrap_err().to_string();
        assert!(error.contains("project.database.events.received"), "{error}");
    }
}
