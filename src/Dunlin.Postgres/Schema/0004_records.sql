-- Replicated records, deleted ones too until retention removes them.
-- Why versions are in the order of commit: a version is the offset of the event that tells of the change, taken in the same
-- transaction; see dunlin_journal.
CREATE TABLE dunlin_record (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    space TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    -- The version at which the key was first used.
    created BIGINT NOT NULL,
    -- 100 ns ticks since year 1, UTC; null while it lives.
    deleted_at BIGINT,
    -- The only user who may read it; null for all who may read the space.
    audience TEXT COLLATE "C",
    value BYTEA NOT NULL,
    UNIQUE (space, key)
);

-- What changed in a space since a version: touches those rows only.
CREATE INDEX dunlin_record_by_version ON dunlin_record (space, version, key);

-- What can be forgotten, by age.
CREATE INDEX dunlin_record_deleted ON dunlin_record (deleted_at) WHERE deleted_at IS NOT NULL;

-- Who may read which space, and who no longer may.
CREATE TABLE dunlin_space_access (
    user_id TEXT COLLATE "C" NOT NULL,
    space TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    -- 100 ns ticks since year 1, UTC; null while the user may read.
    revoked_at BIGINT,
    PRIMARY KEY (user_id, space)
);

-- Who may read a space: for those to be told of a change.
CREATE INDEX dunlin_space_access_by_space ON dunlin_space_access (space, user_id) WHERE revoked_at IS NULL;

-- What can be forgotten, by age.
CREATE INDEX dunlin_space_access_revoked ON dunlin_space_access (revoked_at) WHERE revoked_at IS NOT NULL;

-- The highest version that retention has removed from either.
INSERT INTO dunlin_counter (name, value) VALUES ('records_forgotten_through', 0);
