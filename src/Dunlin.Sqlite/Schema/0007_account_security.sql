-- The stamp changes with the password and when all sessions end. Accounts and sessions of version 0.1.0 share the empty stamp, so nobody
-- is signed out by the upgrade. The version is added to by every save, so that two changes at one time cannot undo each other.
ALTER TABLE dunlin_account ADD COLUMN security_stamp TEXT NOT NULL DEFAULT '';
ALTER TABLE dunlin_account ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- The stamp of the user when the session began.
ALTER TABLE dunlin_session ADD COLUMN security_stamp TEXT NOT NULL DEFAULT '';

-- Failed sign-ins. A subject is an account, or the hash of a user name that no account has. Times are 100 ns ticks since year 1, UTC.
CREATE TABLE dunlin_sign_in_failure (
    subject TEXT PRIMARY KEY,
    has_account INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    locked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Forgetting old ones, and the oldest of those that no account has.
CREATE INDEX dunlin_sign_in_failure_by_time ON dunlin_sign_in_failure (has_account, last_at);
