-- `wake_at` is when the passing of time may next make something of an incident, in milliseconds since
-- 1970; 0 means at once, and nothing means never. `severity` is that of the body, to be counted.
-- An incident whose body cannot be read has the state `unreadable` and is in nobody's way.
ALTER TABLE incident ADD COLUMN wake_at INTEGER;
ALTER TABLE incident ADD COLUMN severity TEXT NOT NULL DEFAULT '';
UPDATE incident SET wake_at = 0 WHERE state IN ('open', 'acknowledged');
UPDATE incident SET severity = coalesce(json_extract(body, '$.severity'), '') WHERE json_valid(body);

DROP INDEX incident_one;
DROP INDEX incident_old;
DROP INDEX incident_new;
CREATE UNIQUE INDEX incident_one ON incident (project, check_id, code, target)
    WHERE state IN ('suspected', 'open', 'acknowledged');
CREATE INDEX incident_old ON incident (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX incident_new ON incident (state, first_seen, id);
CREATE INDEX incident_of ON incident (project, state, first_seen, id);
CREATE INDEX incident_counted ON incident (project, state, severity)
    WHERE state IN ('open', 'acknowledged');
CREATE INDEX incident_wake ON incident (wake_at, project) WHERE wake_at IS NOT NULL;

-- What waits, without what was sent long ago.
CREATE INDEX delivery_waiting ON delivery (channel, made_at) WHERE state = 'pending';
