//! Tables, keys, policies and privileges of a PostgreSQL server, each told by the server as JSON.

use launchready_checks::probe::{
    Catalogue, CatalogueFunction, CatalogueTable, CatalogueView, ProbeError,
};
use serde::de::DeserializeOwned;

use super::super::quote;
use super::{Postgres, Reading};

/// The most tables, views and functions, each.
const ENTRIES: usize = 2_000;

/// What an extension brought is not the product's.
const OWN: &str = "NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.deptype = 'e' AND e.objid = ";

/// Names of columns by their numbers.
fn names(numbers: &str, table: &str) -> String {
    format!(
        "(SELECT json_agg(a.attname ORDER BY k.place) FROM unnest({numbers}) WITH ORDINALITY AS \
         k(number, place) JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.number)"
    )
}

/// What roles may do with `c`: granted by name; what the owner may do by being the owner is not told.
const GRANTS: &str = "(SELECT coalesce(json_agg(g), '[]') FROM (SELECT \
    coalesce(r.rolname, 'public') AS role, json_agg(x.privilege_type ORDER BY x.privilege_type) AS privileges \
    FROM aclexplode(c.relacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee \
    WHERE x.grantee <> c.relowner \
    AND x.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') \
    GROUP BY 1 ORDER BY 1) g)";

const COLUMNS: &str = "(SELECT coalesce(json_agg(json_build_object('name', a.attname, \
    'kind', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum), '[]') FROM pg_attribute a \
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)";

const POLICIES: &str = "(SELECT coalesce(json_agg(json_build_object('name', p.polname, \
    'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' \
    WHEN 'd' THEN 'DELETE' ELSE 'ALL' END, \
    'roles', (SELECT json_agg(coalesce(r.rolname, 'public')) FROM unnest(p.polroles) AS o(role) \
    LEFT JOIN pg_roles r ON r.oid = o.role), \
    'permissive', p.polpermissive, 'using', pg_get_expr(p.polqual, p.polrelid), \
    'check', pg_get_expr(p.polwithcheck, p.polrelid)) ORDER BY p.polname), '[]') \
    FROM pg_policy p WHERE p.polrelid = c.oid)";

impl Postgres {
    /// The catalogue of the schemas that are named, else of those that the API shows, else of `public`, and
    /// of those in which tables of the config are.
    pub(in super::super) async fn catalogue(
        &self,
        schemas: &[String],
        also: &[String],
    ) -> Result<Catalogue, ProbeError> {
        let mut reading = self.begin(self.patience.statement).await?;
        let exposed = self.exposed(&mut reading).await?;
        let mut wanted = if schemas.is_empty() { exposed.clone() } else { Some(schemas.to_vec()) }
            .unwrap_or_default();
        if wanted.is_empty() {
            wanted.push("public".to_owned());
        }
        wanted.extend(also.iter().cloned());
        wanted.sort();
        wanted.dedup();
        // Names in definitions come with their schemas then.
        self.texts(&mut reading, "SET LOCAL search_path = ''".to_owned()).await?;
        let list = wanted.iter().map(|name| quote::text(name)).collect::<Vec<_>>().join(", ");
        let tables = self.tables(&mut reading, &list).await?;
        let views = self.views(&mut reading, &list).await?;
        let functions = self.functions(&mut reading, &list).await?;
        let roles = "SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', \
                     'service_role')";
        let roles = self.texts(&mut reading, roles.to_owned()).await?;
        self.end(reading).await;
        let cut = [tables.1, views.1, functions.1].contains(&true);
        Ok(Catalogue {
            schemas: wanted,
            exposed,
            roles: roles.into_iter().flatten().flatten().collect(),
            tables: tables.0,
            views: views.0,
            functions: functions.0,
            cut,
        })
    }

    /// The schemas that the API shows to browsers, where the database knows: a setting of the role that
    /// the API connects as.
    async fn exposed(&self, reading: &mut Reading<'_>) -> Result<Option<Vec<String>>, ProbeError> {
        let sql = "SELECT coalesce(nullif(current_setting('pgrst.db_schemas', true), ''), \
                   (SELECT substr(c.line, length('pgrst.db_schemas=') + 1) \
                   FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole \
                   CROSS JOIN unnest(s.setconfig) AS c(line) \
                   WHERE r.rolname = 'authenticator' AND c.line LIKE 'pgrst.db\\_schemas=%' \
                   ORDER BY s.setdatabase DESC LIMIT 1))";
        let answer = self.texts(reading, sql.to_owned()).await?;
        let line = answer.into_iter().flatten().flatten().next();
        let names = line.map(|line| {
            let names = line.split(',').map(|name| name.trim().trim_matches('"').to_owned());
            names.filter(|name| !name.is_empty()).collect()
        });
        Ok(names)
    }

    async fn tables(
        &self,
        reading: &mut Reading<'_>,
        schemas: &str,
    ) -> Result<(Vec<CatalogueTable>, bool), ProbeError> {
        let index_columns = names("(i.indkey::int2[])[0:i.indnkeyatts - 1]", "c.oid");
        let key_columns = names("f.conkey", "f.conrelid");
        // No value equals no value, so leaving rows without one out changes nothing.
        let unique = format!(
            "(SELECT coalesce(json_agg({index_columns}), '[]') FROM pg_index i WHERE i.indrelid = c.oid \
             AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND (i.indpred IS NULL \
             OR i.indnkeyatts = 1 AND pg_get_expr(i.indpred, i.indrelid) = (SELECT \
             format('(%I IS NOT NULL)', a.attname) FROM pg_attribute a \
             WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[0])))"
        );
        let indexed = format!(
            "(SELECT coalesce(json_agg({index_columns}), '[]') FROM pg_index i WHERE i.indrelid = c.oid \
             AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL)"
        );
        let keys = format!(
            "(SELECT coalesce(json_agg(json_build_object('columns', {key_columns}, 'to', \
             tn.nspname || '.' || t.relname)), '[]') FROM pg_constraint f \
             JOIN pg_class t ON t.oid = f.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace \
             WHERE f.conrelid = c.oid AND f.contype = 'f')"
        );
        let sql = format!(
            "SELECT json_build_object('schema', n.nspname, 'name', c.relname, 'rls', c.relrowsecurity, \
             'rows', CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END, 'columns', {COLUMNS}, \
             'policies', {POLICIES}, 'grants', {GRANTS}, 'unique', {unique}, 'indexed', {indexed}, \
             'foreign_keys', {keys}) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p') AND n.nspname IN ({schemas}) \
             AND {OWN} c.oid AND e.classid = 'pg_class'::regclass) ORDER BY n.nspname, c.relname"
        );
        self.entries(reading, sql).await
    }

    async fn views(
        &self,
        reading: &mut Reading<'_>,
        schemas: &str,
    ) -> Result<(Vec<CatalogueView>, bool), ProbeError> {
        let sql = format!(
            "SELECT json_build_object('schema', n.nspname, 'name', c.relname, \
             'security_invoker', coalesce((SELECT o.option_value::boolean FROM \
             pg_options_to_table(c.reloptions) o WHERE o.option_name = 'security_invoker'), false), \
             'materialised', c.relkind = 'm', 'columns', {COLUMNS}, 'grants', {GRANTS}, \
             'reads', (SELECT coalesce(json_agg(DISTINCT tn.nspname || '.' || t.relname), '[]') \
             FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid \
             AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid \
             JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace \
             WHERE w.ev_class = c.oid)) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('v', 'm') AND n.nspname IN ({schemas}) \
             AND {OWN} c.oid AND e.classid = 'pg_class'::regclass) ORDER BY n.nspname, c.relname"
        );
        self.entries(reading, sql).await
    }

    async fn functions(
        &self,
        reading: &mut Reading<'_>,
        schemas: &str,
    ) -> Result<(Vec<CatalogueFunction>, bool), ProbeError> {
        // Without an entry of its own, a function may be called by everybody.
        let sql = format!(
            "SELECT json_build_object('schema', n.nspname, 'signature', \
             p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', \
             'security_definer', p.prosecdef, 'callers', (SELECT coalesce(json_agg(DISTINCT \
             coalesce(r.rolname, 'public')), '[]') \
             FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x \
             LEFT JOIN pg_roles r ON r.oid = x.grantee \
             WHERE x.privilege_type = 'EXECUTE' AND x.grantee <> p.proowner)) \
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
             WHERE n.nspname IN ({schemas}) AND p.prokind IN ('f', 'p') \
             AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) \
             AND {OWN} p.oid AND e.classid = 'pg_proc'::regclass) ORDER BY n.nspname, p.proname, p.oid"
        );
        self.entries(reading, sql).await
    }

    /// Entries, each a line of JSON, and whether there were more.
    async fn entries<T: DeserializeOwned>(
        &self,
        reading: &mut Reading<'_>,
        sql: String,
    ) -> Result<(Vec<T>, bool), ProbeError> {
        let lines = self.texts(reading, format!("{sql} LIMIT {}", ENTRIES + 1)).await?;
        let cut = lines.len() > ENTRIES;
        let entries = lines.into_iter().take(ENTRIES).flatten().flatten();
        let entries = entries.map(|line| serde_json::from_str(&line).map_err(|_error| self.odd()));
        Ok((entries.collect::<Result<_, _>>()?, cut))
    }
}
