-- What is over is read for all checks of a project together, back to a time.
DROP INDEX incident_over;
CREATE INDEX incident_over ON incident (project, resolved_at) WHERE state = 'resolved';
