-- Agents at work, by the name under which they hold jobs, and when each said so last.
CREATE TABLE agent (
    name TEXT NOT NULL PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
