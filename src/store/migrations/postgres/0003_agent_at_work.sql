-- Agents at work, by the name under which they hold jobs, and when each said so last, by the clock of the server.
CREATE TABLE agent (
    name TEXT COLLATE "C" PRIMARY KEY,
    seen_at BIGINT NOT NULL
);
