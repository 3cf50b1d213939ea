//! The statements that tell what a PostgreSQL database says about itself, each entry as one line of JSON;
//! they are also sent through the management API of Supabase.

use super::super::quote;

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

/// The roles that exist, of those that Supabase makes for people and servers.
pub(in crate::connect) const ROLES: &str = "SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', \
                     'service_role')";

/// The schemas that the API shows to browsers, where the database knows: a setting of the role that the API
/// connects as.
pub(in crate::connect) const EXPOSED: &str = "SELECT coalesce(nullif(current_setting('pgrst.db_schemas', true), ''), \
                   (SELECT substr(c.line, length('pgrst.db_schemas=') + 1) \
                   FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole \
                   CROSS JOIN unnest(s.setconfig) AS c(line) \
                   WHERE r.rolname = 'authenticator' AND c.line LIKE 'pgrst.db\\_schemas=%' \
                   ORDER BY s.setdatabase DESC LIMIT 1))";

/// The names in a setting such as `public, "my schema"`.
pub(in crate::connect) fn names_of_setting(line: &str) -> Vec<String> {
    let names = line.split(',').map(|name| name.trim().trim_matches('"').to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// Schemas as a list of constants.
pub(in crate::connect) fn list(schemas: &[String]) -> String {
    schemas.iter().map(|name| quote::text(name)).collect::<Vec<_>>().join(", ")
}

/// The statement for the tables of a list of schemas.
pub(in crate::connect) fn tables(schemas: &str) -> String {
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
    format!(
        "SELECT json_build_object('schema', n.nspname, 'name', c.relname, 'rls', c.relrowsecurity, \
         'rows', CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END, 'columns', {COLUMNS}, \
         'policies', {POLICIES}, 'grants', {GRANTS}, 'unique', {unique}, 'indexed', {indexed}, \
         'foreign_keys', {keys}) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND n.nspname IN ({schemas}) \
         AND {OWN} c.oid AND e.classid = 'pg_class'::regclass) ORDER BY n.nspname, c.relname"
    )
}

/// The statement for the views of a list of schemas.
pub(in crate::connect) fn views(schemas: &str) -> String {
    format!(
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
    )
}

/// The statement for the functions of a list of schemas that a client could call.
pub(in crate::connect) fn functions(schemas: &str) -> String {
    // Without an entry of its own, a function may be called by everybody.
    format!(
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
    )
}
