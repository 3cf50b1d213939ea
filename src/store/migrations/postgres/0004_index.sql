-- What is over is read for all checks of a project together, back to a time.
DROP INDEX incident_over;
CREATE INDEX incident_over ON incident (project, resolved_at) WHERE state = 'resolved';

-- A span becomes longer with every run: its end is in no index, so that nothing but its row is written.
DROP INDEX span_job;
CREATE INDEX span_job ON span (job, id);
DROP INDEX span_to;
CREATE INDEX span_from ON span (from_at);
ALTER TABLE span SET (fillfactor = 80);
