-- Times are milliseconds since 1970. Words are those of the types in src/store/model.rs and src/incident.
-- Names are put in order by their bytes, whatever the language of the server is.

-- What was seen, once for the same content. `body` begins with a byte that says how it is packed.
CREATE TABLE evidence (
    hash BYTEA PRIMARY KEY,
    body BYTEA NOT NULL
);

-- One check of one project, with its latest run. `figures` are those of the present `hour`.
CREATE TABLE job (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL,
    check_id TEXT COLLATE "C" NOT NULL,
    target TEXT NOT NULL,
    schedule TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    early BOOLEAN NOT NULL DEFAULT FALSE,
    lease_by TEXT,
    lease_until BIGINT,
    gone_at BIGINT,
    last_due BIGINT,
    last_at BIGINT,
    last_look BIGINT,
    duration_ms BIGINT NOT NULL DEFAULT 0,
    status TEXT,
    since BIGINT,
    reason TEXT,
    unlock TEXT,
    blind_runs BIGINT NOT NULL DEFAULT 0,
    blind_since BIGINT,
    span BIGINT,
    evidence BYTEA REFERENCES evidence (hash),
    evidence_version BIGINT,
    judged BYTEA,
    carried BYTEA,
    measured TEXT NOT NULL DEFAULT '[]',
    hour BIGINT,
    figures BYTEA,
    UNIQUE (project, check_id)
) WITH (fillfactor = 70);
CREATE INDEX job_due ON job (due_at) WHERE lease_until IS NULL AND gone_at IS NULL;
CREATE INDEX job_lease ON job (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX job_holder ON job (lease_by) WHERE lease_by IS NOT NULL;
CREATE INDEX job_evidence ON job (evidence) WHERE evidence IS NOT NULL;
CREATE INDEX job_gone ON job (gone_at) WHERE gone_at IS NOT NULL;

-- The judgement of the latest run without its measurements, which differ from run to run.
CREATE TABLE judgement (
    job BIGINT PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);

-- What the next run is given.
CREATE TABLE carry (
    job BIGINT PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);

-- Runs in a row that ended alike.
CREATE TABLE span (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job BIGINT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    reason TEXT,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    runs BIGINT NOT NULL
);
CREATE INDEX span_job ON span (job, to_at, id);
CREATE INDEX span_to ON span (to_at);

-- Hours that are over.
CREATE TABLE hourly (
    job BIGINT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    hour BIGINT NOT NULL,
    figures BYTEA NOT NULL,
    PRIMARY KEY (job, hour)
);
CREATE INDEX hourly_hour ON hourly (hour);

-- Single values of measurements that a check reads as history. A subject may be longer than an index takes.
CREATE TABLE point (
    job BIGINT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    keep_until BIGINT NOT NULL
);
CREATE UNIQUE INDEX point_one ON point (job, at, name, md5(subject));
CREATE INDEX point_keep ON point (keep_until);

-- `wake_at` is when the passing of time may next make something of an incident; 0 means at once, and nothing
-- means never. `severity` is that of the body, to be counted. An incident whose body cannot be read has the
-- state `unreadable` and is in nobody's way.
CREATE TABLE incident (
    id TEXT COLLATE "C" PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL,
    check_id TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    flapping BOOLEAN NOT NULL,
    first_seen BIGINT NOT NULL,
    resolved_at BIGINT,
    first_evidence BYTEA REFERENCES evidence (hash),
    last_evidence BYTEA REFERENCES evidence (hash),
    wake_at BIGINT,
    severity TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX incident_one ON incident (project, check_id, code, target)
    WHERE state IN ('suspected', 'open', 'acknowledged');
CREATE INDEX incident_over ON incident (project, check_id, resolved_at) WHERE state = 'resolved';
CREATE INDEX incident_old ON incident (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX incident_new ON incident (state, first_seen, id);
CREATE INDEX incident_of ON incident (project, state, first_seen, id);
CREATE INDEX incident_counted ON incident (project, state, severity)
    WHERE state IN ('open', 'acknowledged');
CREATE INDEX incident_wake ON incident (wake_at, project) WHERE wake_at IS NOT NULL;
CREATE INDEX incident_first_evidence ON incident (first_evidence) WHERE first_evidence IS NOT NULL;
CREATE INDEX incident_last_evidence ON incident (last_evidence) WHERE last_evidence IS NOT NULL;

-- What happened, with the incident as it stood then.
CREATE TABLE change (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident TEXT COLLATE "C" NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    members TEXT NOT NULL,
    unheard TEXT,
    body TEXT NOT NULL
);
CREATE INDEX change_incident ON change (incident, id);

-- What is said. `hold` is the end of the quiet hours for which it waits, or 0. While it is not sealed,
-- it takes more changes; there is one such of each kind.
CREATE TABLE notification (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT COLLATE "C" NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    hold BIGINT NOT NULL,
    sealed BOOLEAN NOT NULL,
    changes BIGINT NOT NULL,
    body TEXT
);
CREATE UNIQUE INDEX notification_open ON notification (project, kind, hold) WHERE NOT sealed;
CREATE INDEX notification_made ON notification (made_at);

-- One notification for one channel.
CREATE TABLE delivery (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    notification BIGINT NOT NULL REFERENCES notification (seq) ON DELETE CASCADE,
    channel TEXT COLLATE "C" NOT NULL,
    instead_of TEXT,
    state TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_by TEXT,
    lease_until BIGINT,
    last_error TEXT,
    sent_at BIGINT,
    UNIQUE (notification, channel)
);
CREATE INDEX delivery_due ON delivery (channel, due_at) WHERE state = 'pending';
CREATE INDEX delivery_waiting ON delivery (channel, made_at) WHERE state = 'pending';
CREATE INDEX delivery_state ON delivery (state, channel, made_at);
CREATE INDEX delivery_holder ON delivery (lease_by) WHERE lease_by IS NOT NULL;

-- Which changes a delivery tells: a channel is told each change once.
CREATE TABLE told (
    change BIGINT NOT NULL REFERENCES change (id) ON DELETE CASCADE,
    channel TEXT COLLATE "C" NOT NULL,
    delivery BIGINT NOT NULL REFERENCES delivery (seq) ON DELETE CASCADE,
    PRIMARY KEY (change, channel)
);
CREATE INDEX told_delivery ON told (delivery, change);

-- Every try.
CREATE TABLE attempt (
    delivery BIGINT NOT NULL REFERENCES delivery (seq) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT
);
CREATE INDEX attempt_delivery ON attempt (delivery, at);

CREATE TABLE silence (
    id TEXT COLLATE "C" PRIMARY KEY,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX silence_until ON silence (until_at);

-- `seq` is the order in which they were added.
CREATE TABLE waiver (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    id TEXT COLLATE "C" PRIMARY KEY,
    until_at BIGINT NOT NULL,
    last_used BIGINT,
    body TEXT NOT NULL
);
CREATE INDEX waiver_until ON waiver (until_at);

-- How often silences or waivers changed, so that they are read anew only then.
CREATE TABLE muting (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);
INSERT INTO muting (one, version) VALUES (1, 1);

-- Small values of the agent's own.
CREATE TABLE setting (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);

-- A job that has promised to call, with what was heard of it. Its token is nowhere: who calls is known
-- before the store is asked. `calls` and `failures` count what `heartbeat_call` no longer holds.
CREATE TABLE heartbeat (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    promised_at BIGINT NOT NULL,
    gone_at BIGINT,
    first_call BIGINT,
    last_start BIGINT,
    last_success BIGINT,
    last_failure BIGINT,
    exit BIGINT,
    calls BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0,
    UNIQUE (project, name)
);
CREATE INDEX heartbeat_gone ON heartbeat (gone_at) WHERE gone_at IS NOT NULL;

-- The last calls; `number` counts those of one promise.
CREATE TABLE heartbeat_call (
    heartbeat BIGINT NOT NULL REFERENCES heartbeat (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    signal TEXT NOT NULL,
    exit BIGINT,
    PRIMARY KEY (heartbeat, number)
);

-- The approved state of a project: the evidence of a check as somebody approved it. The newest row of a
-- check counts; earlier ones say what was approved before.
CREATE TABLE baseline (
    project TEXT COLLATE "C" NOT NULL,
    check_id TEXT COLLATE "C" NOT NULL,
    approved_at BIGINT NOT NULL,
    approved_by TEXT NOT NULL,
    note TEXT NOT NULL,
    evidence_version BIGINT NOT NULL,
    evidence BYTEA NOT NULL,
    PRIMARY KEY (project, check_id, approved_at)
);

-- Whether a text can be read as JSON.
CREATE FUNCTION is_json(body TEXT) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM body::json;
    RETURN TRUE;
EXCEPTION WHEN OTHERS THEN
    RETURN FALSE;
END
$$;
