-- Times are milliseconds since 1970. Words are those of the types in src/store/model.rs and src/incident.

-- What was seen, once for the same content. `body` begins with a byte that says how it is packed.
CREATE TABLE evidence (
    hash BLOB PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One check of one project, with its latest run. `figures` are those of the present `hour`.
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    check_id TEXT NOT NULL,
    target TEXT NOT NULL,
    schedule TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    early INTEGER NOT NULL DEFAULT 0,
    lease_by TEXT,
    lease_until INTEGER,
    gone_at INTEGER,
    last_due INTEGER,
    last_at INTEGER,
    last_look INTEGER,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    status TEXT,
    since INTEGER,
    reason TEXT,
    unlock TEXT,
    blind_runs INTEGER NOT NULL DEFAULT 0,
    blind_since INTEGER,
    span INTEGER,
    evidence BLOB REFERENCES evidence (hash),
    evidence_version INTEGER,
    judged BLOB,
    carried BLOB,
    measured TEXT NOT NULL DEFAULT '[]',
    hour INTEGER,
    figures BLOB,
    UNIQUE (project, check_id)
) STRICT;
CREATE INDEX job_due ON job (due_at) WHERE lease_until IS NULL AND gone_at IS NULL;
CREATE INDEX job_lease ON job (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX job_evidence ON job (evidence) WHERE evidence IS NOT NULL;
CREATE INDEX job_gone ON job (gone_at) WHERE gone_at IS NOT NULL;

-- The judgement of the latest run without its measurements, which differ from run to run.
CREATE TABLE judgement (
    job INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

-- What the next run is given.
CREATE TABLE carry (
    job INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

-- Runs in a row that ended alike.
CREATE TABLE span (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    reason TEXT,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    runs INTEGER NOT NULL
) STRICT;
CREATE INDEX span_job ON span (job, to_at);
CREATE INDEX span_to ON span (to_at);

-- Hours that are over.
CREATE TABLE hourly (
    job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    figures BLOB NOT NULL,
    PRIMARY KEY (job, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX hourly_hour ON hourly (hour);

-- Single values of measurements that a check reads as history.
CREATE TABLE point (
    job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    value REAL NOT NULL,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (job, at, name, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX point_keep ON point (keep_until);

CREATE TABLE incident (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    check_id TEXT NOT NULL,
    code TEXT NOT NULL,
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    flapping INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    resolved_at INTEGER,
    first_evidence BLOB REFERENCES evidence (hash),
    last_evidence BLOB REFERENCES evidence (hash),
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX incident_one ON incident (project, check_id, code, target) WHERE state <> 'resolved';
CREATE INDEX incident_over ON incident (project, check_id, resolved_at) WHERE state = 'resolved';
CREATE INDEX incident_old ON incident (resolved_at) WHERE state = 'resolved';
CREATE INDEX incident_new ON incident (state, first_seen);
CREATE INDEX incident_first_evidence ON incident (first_evidence) WHERE first_evidence IS NOT NULL;
CREATE INDEX incident_last_evidence ON incident (last_evidence) WHERE last_evidence IS NOT NULL;

-- What happened, with the incident as it stood then. Numbers are never given twice.
CREATE TABLE change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident TEXT NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    members TEXT NOT NULL,
    unheard TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX change_incident ON change (incident, id);

-- What is said. `hold` is the end of the quiet hours for which it waits, or 0. While it is not sealed,
-- it takes more changes; there is one such of each kind.
CREATE TABLE notification (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    project TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    hold INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    body TEXT
) STRICT;
CREATE UNIQUE INDEX notification_open ON notification (project, kind, hold) WHERE sealed = 0;
CREATE INDEX notification_made ON notification (made_at);

-- One notification for one channel.
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    notification INTEGER NOT NULL REFERENCES notification (seq) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    instead_of TEXT,
    state TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    lease_by TEXT,
    lease_until INTEGER,
    last_error TEXT,
    sent_at INTEGER,
    UNIQUE (notification, channel)
) STRICT;
CREATE INDEX delivery_due ON delivery (channel, due_at) WHERE state = 'pending';
CREATE INDEX delivery_state ON delivery (state, channel, made_at);

-- Which changes a delivery tells: a channel is told each change once.
CREATE TABLE told (
    change INTEGER NOT NULL REFERENCES change (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    delivery INTEGER NOT NULL REFERENCES delivery (seq) ON DELETE CASCADE,
    PRIMARY KEY (change, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_delivery ON told (delivery, change);

-- Every try.
CREATE TABLE attempt (
    delivery INTEGER NOT NULL REFERENCES delivery (seq) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT
) STRICT;
CREATE INDEX attempt_delivery ON attempt (delivery, at);

CREATE TABLE silence (
    id TEXT PRIMARY KEY,
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX silence_until ON silence (until_at);

CREATE TABLE waiver (
    id TEXT PRIMARY KEY,
    until_at INTEGER NOT NULL,
    last_used INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX waiver_until ON waiver (until_at);

-- How often silences or waivers changed, so that they are read anew only then.
CREATE TABLE muting (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO muting (only, version) VALUES (1, 1);

-- Small values of the agent's own.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
