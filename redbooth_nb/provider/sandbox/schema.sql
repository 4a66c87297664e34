-- The tables of the sandbox's file; mend.sql adds the indexes. Times are unix seconds on the sandbox's clock; lifetimes
-- are seconds. The number is OURS in database.py.

PRAGMA application_id = 1380077122;

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE applications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    uid TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scopes TEXT NOT NULL,
    confidential INTEGER NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
);

CREATE TABLE codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL UNIQUE,
    application_id INTEGER NOT NULL REFERENCES applications ON DELETE CASCADE,
    user_id INTEGER NOT NULL,
    redirect_uri TEXT NOT NULL,
    scopes TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    code_challenge_method TEXT NOT NULL,
    expires_in INTEGER NOT NULL,
    created_at REAL NOT NULL,
    revoked_at REAL
);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    refresh_token TEXT UNIQUE,
    previous_refresh_token TEXT NOT NULL,
    application_id INTEGER NOT NULL REFERENCES applications ON DELETE CASCADE,
    user_id INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    expires_in INTEGER NOT NULL,
    created_at REAL NOT NULL,
    revoked_at REAL
)
