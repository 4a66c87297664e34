-- Run whenever a file is opened: removes what was written while the clock could be moved without bounds. No date can
-- express such times. 1e10 is the year 2286.

DELETE FROM codes WHERE abs(created_at) > 1e10;

DELETE FROM tokens WHERE abs(created_at) > 1e10;

UPDATE applications SET created_at = strftime('%s') WHERE abs(created_at) > 1e10;

UPDATE applications SET updated_at = created_at WHERE abs(updated_at) > 1e10
