-- Replicated records, including deleted ones until retention removes them.
-- Versions are in commit order, because a version is the offset of the event that announces the change, assigned in the same transaction;
-- see dunlin_journal.
CREATE TABLE dunlin_record (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    space TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    -- The version at which the key was first used.
    created BIGINT NOT NULL,
    -- 100 ns ticks since year 1, UTC; null until it is deleted.
    deleted_at BIGINT,
    -- The only user who may read it; null for all users who may read the space.
    audience TEXT COLLATE "C",
    value BYTEA NOT NULL,
    UNIQUE (space, key)
);

-- Finds the changes of a space since a version, and reads only those rows.
CREATE INDEX dunlin_record_by_version ON dunlin_record (space, version, key);

-- Finds rows to delete, by age.
CREATE INDEX dunlin_record_deleted ON dunlin_record (deleted_at) WHERE deleted_at IS NOT NULL;

-- Which users may read a space, and which no longer may.
CREATE TABLE dunlin_space_access (
    user_id TEXT COLLATE "C" NOT NULL,
    space TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    -- 100 ns ticks since year 1, UTC; null while the user may read.
    revoked_at BIGINT,
    PRIMARY KEY (user_id, space)
);

-- Finds the readers of a space, to notify them of a change.
CREATE INDEX dunlin_space_access_by_space ON dunlin_space_access (space, user_id) WHERE revoked_at IS NULL;

-- Finds rows to delete, by age.
CREATE INDEX dunlin_space_access_revoked ON dunlin_space_access (revoked_at) WHERE revoked_at IS NOT NULL;

-- The highest version that retention has deleted from either table.
INSERT INTO dunlin_counter (name, value) VALUES ('records_forgotten_through', 0);
