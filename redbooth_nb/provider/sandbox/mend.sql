-- Brings a file of format 1, or a new one, to format 2 (FORMAT in database.py). Removes what was written while the clock
-- could be moved without bounds: no date can express such times. 1e10 is the year 2286.

DELETE FROM codes WHERE abs(created_at) > 1e10;

DELETE FROM tokens WHERE abs(created_at) > 1e10;

UPDATE applications SET created_at = strftime('%s') WHERE abs(created_at) > 1e10;

UPDATE applications SET updated_at = created_at WHERE abs(updated_at) > 1e10;

CREATE INDEX codes_of ON codes (application_id, user_id, revoked_at);

CREATE INDEX tokens_of ON tokens (application_id, user_id, revoked_at);

PRAGMA user_version = 2
