-- The stamp changes with the password and when all sessions end. Accounts and sessions of version 0.1.0 share the empty stamp, so the
-- upgrade signs nobody out. Each save increments the version, so concurrent changes cannot overwrite each other.
ALTER TABLE dunlin_account ADD COLUMN security_stamp TEXT NOT NULL DEFAULT '';
ALTER TABLE dunlin_account ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- The stamp of the user when the session started.
ALTER TABLE dunlin_session ADD COLUMN security_stamp TEXT NOT NULL DEFAULT '';

-- Failed sign-ins. A subject is an account, or the hash of a user name without account. Times are 100 ns ticks since year 1, UTC.
CREATE TABLE dunlin_sign_in_failure (
    subject TEXT PRIMARY KEY,
    has_account INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    locked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Finds old rows, and the oldest rows without account.
CREATE INDEX dunlin_sign_in_failure_by_time ON dunlin_sign_in_failure (has_account, last_at);
