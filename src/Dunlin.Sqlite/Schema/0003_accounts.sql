-- Users who sign in with a password.
CREATE TABLE dunlin_account (
    user_id TEXT PRIMARY KEY,
    -- The user name in upper case, for comparison.
    name_key TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    full_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    -- A JSON array.
    roles TEXT NOT NULL
) WITHOUT ROWID;

-- Sign-in sessions, stored so that a restart signs no user out. Times are 100 ns ticks since year 1, UTC.
CREATE TABLE dunlin_session (
    session_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    description TEXT NOT NULL
) WITHOUT ROWID;

-- Finds expired sessions.
CREATE INDEX dunlin_session_by_expiry ON dunlin_session (expires_at);
