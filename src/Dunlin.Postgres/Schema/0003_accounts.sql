-- Users who sign in with a password.
CREATE TABLE dunlin_account (
    user_id TEXT COLLATE "C" PRIMARY KEY,
    -- The user name as it is compared: upper case.
    name_key TEXT COLLATE "C" NOT NULL UNIQUE,
    username TEXT COLLATE "C" NOT NULL,
    full_name TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    -- A JSON array.
    roles TEXT COLLATE "C" NOT NULL
);

-- Sign-in sessions, kept so that a restart signs nobody out. Times are 100 ns ticks since year 1, UTC.
CREATE TABLE dunlin_session (
    session_id TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    description TEXT COLLATE "C" NOT NULL
);

-- Forgetting the sessions that have expired.
CREATE INDEX dunlin_session_by_expiry ON dunlin_session (expires_at);

-- Single-use tickets that are not used yet: one got from one node may be used at another. Times are ticks, as above.
CREATE TABLE dunlin_ticket (
    hash TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    -- A JSON array.
    roles TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C",
    checks_session BOOLEAN NOT NULL,
    expires_at BIGINT NOT NULL,
    credential_expires_at BIGINT
);

-- Counting the unused tickets of one user.
CREATE INDEX dunlin_ticket_by_user ON dunlin_ticket (user_id);

-- Forgetting those that nobody used.
CREATE INDEX dunlin_ticket_by_expiry ON dunlin_ticket (expires_at);

-- Secrets that the nodes share, such as the key that signs tokens where none is configured.
CREATE TABLE dunlin_secret (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);
