//! Which tables and columns a PostgreSQL server shows to the user that looks.

use std::time::Duration;

use launchready_checks::probe::{AgentFault, ProbeError, TargetFault};

use super::super::mapping::{Column, Kind, Relation};
use super::{Postgres, Texts};

/// More tables and views are not looked through.
const RELATIONS: u32 = 20_000;

impl Postgres {
    /// Every table and view outside the server's own schemas.
    pub(in super::super) async fn relations(&self) -> Result<Vec<Relation>, ProbeError> {
        let sql = format!(
            "SELECT n.nspname, c.relname, c.oid, array_position(current_schemas(false), n.nspname) \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' \
             AND n.nspname !~ '^pg_' ORDER BY n.nspname, c.relname LIMIT {RELATIONS}"
        );
        let rows = self.small(sql).await?;
        rows.into_iter().map(|row| self.relation(row)).collect()
    }

    fn relation(&self, row: Texts) -> Result<Relation, ProbeError> {
        let [Some(schema), Some(name), Some(id), path] =
            <[_; 4]>::try_from(row).map_err(|_row| self.odd())?
        else {
            return Err(self.odd());
        };
        let id = id.parse().map_err(|_error| self.odd())?;
        let path = path.and_then(|path| path.parse().ok());
        // Whoever names no schema and has none in the path means the one that everybody has.
        let path = path.or_else(|| (schema == "public").then_some(u32::MAX));
        Ok(Relation { schema, name, id, path })
    }

    /// The columns of one.
    pub(in super::super) async fn columns(
        &self,
        relation: &Relation,
    ) -> Result<Vec<Column>, ProbeError> {
        let id = relation.id;
        // A domain is read as the type below it.
        let sql = format!(
            "SELECT a.attname, CASE WHEN t.typbasetype <> 0 \
             THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END \
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = {id} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        );
        let rows = self.small(sql).await?;
        rows.into_iter()
            .map(|row| match &row[..] {
                [Some(name), Some(kind)] => Ok(Column { name: name.clone(), kind: kind_of(kind) }),
                _ => Err(self.odd()),
            })
            .collect()
    }

    /// Ends the look where row level security hides rows of a table from the user: what is hidden would count
    /// as missing.
    pub(in super::super) async fn sees_every_row(
        &self,
        relation: &Relation,
    ) -> Result<(), ProbeError> {
        let id = relation.id;
        let mine = "CASE WHEN o.role = 0 THEN true ELSE pg_has_role(o.role, 'USAGE') END";
        let policy = |which: &str| {
            format!(
                "EXISTS (SELECT 1 FROM pg_catalog.pg_policy p CROSS JOIN unnest(p.polroles) AS o(role) \
                 WHERE p.polrelid = {id} AND p.polcmd IN ('r', '*') AND {mine} AND {which})"
            )
        };
        let open = "p.polpermissive AND pg_get_expr(p.polqual, p.polrelid) = 'true'";
        let sql = format!(
            "SELECT NOT row_security_active({id}::oid) OR ({} AND NOT {})",
            policy(open),
            policy("NOT p.polpermissive")
        );
        let rows = self.small(sql).await?;
        if rows.first().and_then(|row| row.first()?.as_deref()) == Some("t") {
            return Ok(());
        }
        let (table, user) = (relation.shown(), &self.server.user);
        let what = format!(
            "to see every row of {table}, which row level security keeps from \"{user}\"; as its owner: \
             CREATE POLICY launchready_reads ON {table} FOR SELECT TO \"{user}\" USING (true)"
        );
        Err(AgentFault::Forbidden(what).into())
    }

    /// The answer to one small question of our own.
    pub(super) async fn small(&self, sql: String) -> Result<Vec<Texts>, ProbeError> {
        let mut reading = self.begin(self.patience.statement).await?;
        let rows = self.texts(&mut reading, sql).await?;
        self.end(reading).await;
        Ok(rows)
    }

    pub(super) fn odd(&self) -> ProbeError {
        let what = format!("the catalogue of {} has another shape", self.server.name());
        TargetFault::Malformed(what).into()
    }

    /// How long a statement that gives rows may take.
    pub(super) const fn long(&self) -> Duration {
        self.patience.rows
    }
}

/// How a type of PostgreSQL is read, by the name that the server gives it.
fn kind_of(kind: &str) -> Kind {
    match kind {
        "smallint" | "integer" | "bigint" => Kind::Whole,
        "money" => Kind::Decimal,
        "numeric" | "real" | "double precision" => Kind::Number,
        "text" | "citext" | "name" => Kind::Text,
        "date" => Kind::Day,
        _ if kind.starts_with("character") => Kind::Text,
        _ if kind.starts_with("timestamp") && kind.ends_with("with time zone") => Kind::Zoned,
        _ if kind.starts_with("timestamp") => Kind::Unzoned,
        _ if kind.starts_with("numeric(") && kind.ends_with(",0)") => Kind::Whole,
        _ if kind.starts_with("numeric(") => Kind::Decimal,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_by_its_name() {
        for (name, kind) in [
            ("bigint", Kind::Whole),
            ("numeric(10,0)", Kind::Whole),
            ("numeric(10,2)", Kind::Decimal),
            ("numeric", Kind::Number),
            ("character varying(40)", Kind::Text),
            ("timestamp(3) without time zone", Kind::Unzoned),
            ("timestamp(3) with time zone", Kind::Zoned),
            ("uuid", Kind::Other),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
