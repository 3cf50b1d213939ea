-- Drills, by the mark that everything of a drill carries. One that was begun and never ended has left something
-- in the product that `launchready drill undo` takes back.
CREATE TABLE drill (
    mark TEXT COLLATE "C" PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL,
    drill TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    passed BOOLEAN,
    is_left BOOLEAN NOT NULL,
    record TEXT NOT NULL
);

CREATE INDEX drill_of_project ON drill (project, started_at);
