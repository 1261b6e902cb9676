-- Users who sign in with a password.
CREATE TABLE dunlin_account (
    user_id TEXT COLLATE "C" PRIMARY KEY,
    -- The user name in upper case, for comparison.
    name_key TEXT COLLATE "C" NOT NULL UNIQUE,
    username TEXT COLLATE "C" NOT NULL,
    full_name TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    -- A JSON array.
    roles TEXT COLLATE "C" NOT NULL
);

-- Sign-in sessions, stored so that a restart signs no user out. Times are 100 ns ticks since year 1, UTC.
CREATE TABLE dunlin_session (
    session_id TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    description TEXT COLLATE "C" NOT NULL
);

-- Finds expired sessions.
CREATE INDEX dunlin_session_by_expiry ON dunlin_session (expires_at);

-- Unused single-use tickets: one node issues a ticket, another may redeem it. Times are ticks, as above.
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

-- Counts the unused tickets of a user.
CREATE INDEX dunlin_ticket_by_user ON dunlin_ticket (user_id);

-- Finds expired tickets.
CREATE INDEX dunlin_ticket_by_expiry ON dunlin_ticket (expires_at);

-- Secrets that the nodes share, such as the generated key that signs tokens.
CREATE TABLE dunlin_secret (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);
