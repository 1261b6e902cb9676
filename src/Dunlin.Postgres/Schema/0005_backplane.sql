-- Transient events on their way between nodes, for a minute at most. Not logged: a crash may take them, as they may be lost
-- anyway. Each node numbers its own and inserts them one statement after another, so what it has put there becomes visible in
-- the order of its numbers, and a reader that remembers the last number of each node skips none.
CREATE UNLOGGED TABLE dunlin_transient (
    node TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL,
    user_id TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    connection_id TEXT COLLATE "C",
    device_id TEXT COLLATE "C",
    -- 100 ns ticks since year 1, UTC, by the node that sent it.
    time BIGINT NOT NULL,
    inserted_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (node, number)
);

-- Forgetting the old ones.
CREATE INDEX dunlin_transient_by_age ON dunlin_transient (inserted_at);
