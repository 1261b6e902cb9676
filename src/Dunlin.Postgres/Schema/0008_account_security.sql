-- The stamp changes with the password and when all sessions end. Accounts and sessions of version 0.1.0 share the empty stamp, so the
-- upgrade signs nobody out. Each save increments the version, so concurrent changes cannot overwrite each other. A node of a version
-- without these columns omits them.
ALTER TABLE dunlin_account ADD COLUMN security_stamp TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE dunlin_account ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- The stamp of the user when the session started.
ALTER TABLE dunlin_session ADD COLUMN security_stamp TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Failed sign-ins. A subject is an account, or the hash of a user name without account. Times are 100 ns ticks since year 1, UTC.
CREATE TABLE dunlin_sign_in_failure (
    subject TEXT COLLATE "C" PRIMARY KEY,
    has_account BOOLEAN NOT NULL,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);

-- Finds old rows, and the oldest rows without account.
CREATE INDEX dunlin_sign_in_failure_by_time ON dunlin_sign_in_failure (has_account, last_at);
