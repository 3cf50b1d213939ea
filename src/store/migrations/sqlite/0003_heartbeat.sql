-- A job that has promised to call, with what was heard of it. Its token is nowhere: who calls is known
-- before the store is asked. `calls` and `failures` count what `heartbeat_call` no longer holds.
CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    promised_at INTEGER NOT NULL,
    gone_at INTEGER,
    first_call INTEGER,
    last_start INTEGER,
    last_success INTEGER,
    last_failure INTEGER,
    exit INTEGER,
    calls INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project, name)
) STRICT;
CREATE INDEX heartbeat_gone ON heartbeat (gone_at) WHERE gone_at IS NOT NULL;

-- The last calls; `number` counts those of one promise.
CREATE TABLE heartbeat_call (
    heartbeat INTEGER NOT NULL REFERENCES heartbeat (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    signal TEXT NOT NULL,
    exit INTEGER,
    PRIMARY KEY (heartbeat, number)
) STRICT, WITHOUT ROWID;
