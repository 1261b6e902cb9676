-- Makes all tables of Dunlin STRICT: SQLite then rejects a value of another type than its column's instead of storing it.
-- SQLite cannot change a table in place, so each is copied once. The journal is the largest: expect some seconds per million events, and as
-- much free disk space as the journal takes.

CREATE TABLE dunlin_topic_strict (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    trimmed_through INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO dunlin_topic_strict (id, name, trimmed_through) SELECT id, name, trimmed_through FROM dunlin_topic;
DROP TABLE dunlin_topic;
ALTER TABLE dunlin_topic_strict RENAME TO dunlin_topic;

CREATE TABLE dunlin_journal_strict (
    offset INTEGER PRIMARY KEY,
    topic INTEGER NOT NULL,
    type TEXT NOT NULL,
    data BLOB NOT NULL,
    user_id TEXT,
    session_id TEXT,
    connection_id TEXT,
    device_id TEXT,
    time INTEGER NOT NULL
) STRICT;
INSERT INTO dunlin_journal_strict (offset, topic, type, data, user_id, session_id, connection_id, device_id, time) SELECT offset, topic, type, data, user_id, session_id, connection_id, device_id, time FROM dunlin_journal;
DROP TABLE dunlin_journal;
ALTER TABLE dunlin_journal_strict RENAME TO dunlin_journal;
CREATE INDEX dunlin_journal_by_topic ON dunlin_journal (topic);

CREATE TABLE dunlin_idempotency_strict (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    first_offset INTEGER NOT NULL,
    count INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
INSERT INTO dunlin_idempotency_strict (scope, key, fingerprint, first_offset, count, time) SELECT scope, key, fingerprint, first_offset, count, time FROM dunlin_idempotency;
DROP TABLE dunlin_idempotency;
ALTER TABLE dunlin_idempotency_strict RENAME TO dunlin_idempotency;
CREATE INDEX dunlin_idempotency_by_time ON dunlin_idempotency (time);

CREATE TABLE dunlin_counter_strict (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO dunlin_counter_strict (name, value) SELECT name, value FROM dunlin_counter;
DROP TABLE dunlin_counter;
ALTER TABLE dunlin_counter_strict RENAME TO dunlin_counter;

CREATE TABLE dunlin_lease_strict (
    resource TEXT PRIMARY KEY,
    fence INTEGER NOT NULL,
    lease_id TEXT,
    user_id TEXT,
    user_name TEXT,
    session_id TEXT,
    connection_id TEXT,
    device_id TEXT,
    acquired_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    end_reason INTEGER NOT NULL,
    ended_lease_id TEXT,
    ended_at INTEGER NOT NULL,
    ending INTEGER NOT NULL,
    waiters TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO dunlin_lease_strict (resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id, acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters) SELECT resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id, acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters FROM dunlin_lease;
DROP TABLE dunlin_lease;
ALTER TABLE dunlin_lease_strict RENAME TO dunlin_lease;
CREATE INDEX dunlin_lease_by_session ON dunlin_lease (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX dunlin_lease_waited_for ON dunlin_lease (resource) WHERE waiters IS NOT NULL;
CREATE INDEX dunlin_lease_ended ON dunlin_lease (ended_at) WHERE lease_id IS NULL AND waiters IS NULL;

CREATE TABLE dunlin_account_strict (
    user_id TEXT PRIMARY KEY,
    name_key TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    full_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    roles TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO dunlin_account_strict (user_id, name_key, username, full_name, password_hash, roles) SELECT user_id, name_key, username, full_name, password_hash, roles FROM dunlin_account;
DROP TABLE dunlin_account;
ALTER TABLE dunlin_account_strict RENAME TO dunlin_account;

CREATE TABLE dunlin_session_strict (
    session_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    description TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO dunlin_session_strict (session_id, user_id, secret_hash, created_at, expires_at, description) SELECT session_id, user_id, secret_hash, created_at, expires_at, description FROM dunlin_session;
DROP TABLE dunlin_session;
ALTER TABLE dunlin_session_strict RENAME TO dunlin_session;
CREATE INDEX dunlin_session_by_expiry ON dunlin_session (expires_at);

CREATE TABLE dunlin_record_strict (
    id INTEGER PRIMARY KEY,
    space TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    deleted_at INTEGER,
    audience TEXT,
    value BLOB NOT NULL,
    UNIQUE (space, key)
) STRICT;
INSERT INTO dunlin_record_strict (id, space, key, version, created, deleted_at, audience, value) SELECT id, space, key, version, created, deleted_at, audience, value FROM dunlin_record;
DROP TABLE dunlin_record;
ALTER TABLE dunlin_record_strict RENAME TO dunlin_record;
CREATE INDEX dunlin_record_by_version ON dunlin_record (space, version, key);
CREATE INDEX dunlin_record_deleted ON dunlin_record (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE dunlin_space_access_strict (
    user_id TEXT NOT NULL,
    space TEXT NOT NULL,
    version INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (user_id, space)
) STRICT, WITHOUT ROWID;
INSERT INTO dunlin_space_access_strict (user_id, space, version, revoked_at) SELECT user_id, space, version, revoked_at FROM dunlin_space_access;
DROP TABLE dunlin_space_access;
ALTER TABLE dunlin_space_access_strict RENAME TO dunlin_space_access;
CREATE INDEX dunlin_space_access_by_space ON dunlin_space_access (space, user_id) WHERE revoked_at IS NULL;
CREATE INDEX dunlin_space_access_revoked ON dunlin_space_access (revoked_at) WHERE revoked_at IS NOT NULL;
