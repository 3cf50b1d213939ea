//! What a PostgreSQL server is, and what the user that looks could change.

use launchready_checks::probe::{DatabaseFacts, ProbeError};

use super::super::mapping::Relation;
use super::Postgres;

/// The most powers that are told.
const POWERS: usize = 20;

impl Postgres {
    /// What it is; `tables` are those of the config.
    pub(in super::super) async fn facts(
        &self,
        tables: &[Relation],
    ) -> Result<DatabaseFacts, ProbeError> {
        let mut reading = self.begin(self.patience.statement).await?;
        let sql = "SELECT current_setting('server_version'), current_user, r.rolsuper, r.rolbypassrls, \
                   r.rolcreaterole FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";
        let who = self.texts(&mut reading, sql.to_owned()).await?;
        let ids: Vec<_> = tables.iter().map(|table| table.id.to_string()).collect();
        let ids = if ids.is_empty() { "0".to_owned() } else { ids.join(", ") };
        let may = format!(
            "SELECT lower(p.power) || ' on ' || n.nspname || '.' || c.relname \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS p(power) \
             WHERE c.oid IN ({ids}) AND CASE WHEN p.power IN ('INSERT', 'UPDATE') \
             THEN has_any_column_privilege(c.oid, p.power) ELSE has_table_privilege(c.oid, p.power) END \
             UNION ALL SELECT DISTINCT 'create in ' || n.nspname \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid IN ({ids}) AND has_schema_privilege(n.oid, 'CREATE') ORDER BY 1"
        );
        let may = self.texts(&mut reading, may).await?;
        self.end(reading).await;
        let Some([Some(version), Some(user), superuser, bypass, roles]) =
            who.first().map(Vec::as_slice)
        else {
            return Err(self.odd());
        };
        let has = |power: &Option<String>| power.as_deref() == Some("t");
        let powers = [(superuser, "superuser"), (roles, "create roles")].into_iter();
        let mut may_change: Vec<String> =
            powers.filter(|(power, _)| has(power)).map(|(_, word)| word.to_owned()).collect();
        may_change.extend(may.into_iter().flatten().flatten());
        // To see past row level security is what a user that only reads needs.
        if has(bypass) && !may_change.is_empty() {
            may_change.insert(0, "bypass row level security".to_owned());
        }
        may_change.truncate(POWERS);
        Ok(DatabaseFacts {
            engine: "postgresql".to_owned(),
            // `15.14 (Debian 15.14-0+deb12u1)`.
            version: version.split_whitespace().next().unwrap_or_default().to_owned(),
            user: user.clone(),
            may_change,
            encrypted: self.is_safe(),
        })
    }
}
