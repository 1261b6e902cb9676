-- The stamp changes with the password and when all sessions end. Accounts and sessions of version 0.1.0 share the empty stamp, so nobody
-- is signed out by the upgrade. The version is added to by every save, so that two changes at one time cannot undo each other. A node
-- that does not know the columns leaves them out.
ALTER TABLE dunlin_account ADD COLUMN security_stamp TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE dunlin_account ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- The stamp of the user when the session began.
ALTER TABLE dunlin_session ADD COLUMN security_stamp TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Failed sign-ins. A subject is an account, or the hash of a user name that no account has. Times are 100 ns ticks since year 1, UTC.
CREATE TABLE dunlin_sign_in_failure (
    subject TEXT COLLATE "C" PRIMARY KEY,
    has_account BOOLEAN NOT NULL,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);

-- Forgetting old ones, and the oldest of those that no account has.
CREATE INDEX dunlin_sign_in_failure_by_time ON dunlin_sign_in_failure (has_account, last_at);
