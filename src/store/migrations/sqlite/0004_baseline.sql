-- The approved state of a project: the evidence of a check as somebody approved it. The newest row of a
-- check counts; earlier ones say what was approved before.
CREATE TABLE baseline (
    project TEXT NOT NULL,
    check_id TEXT NOT NULL,
    approved_at INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    note TEXT NOT NULL,
    evidence_version INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    PRIMARY KEY (project, check_id, approved_at)
) STRICT, WITHOUT ROWID;
