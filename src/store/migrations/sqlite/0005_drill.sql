-- Drills, by the mark that everything of a drill carries. One that was begun and never ended has left something
-- in the product that `launchready drill undo` takes back.
CREATE TABLE drill (
    mark TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    drill TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    passed INTEGER,
    is_left INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX drill_of_project ON drill (project, started_at);
