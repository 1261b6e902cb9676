-- Transient events in transit between nodes, for a minute at most. Unlogged: a crash may delete them, because their delivery is best
-- effort.
-- Each node numbers its events and inserts them with one statement after another. They become visible in the order of their numbers, so a
-- reader that stores the last number of each node skips none.
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
    -- 100 ns ticks since year 1, UTC, of the sending node.
    time BIGINT NOT NULL,
    inserted_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (node, number)
);

-- Finds old events.
CREATE INDEX dunlin_transient_by_age ON dunlin_transient (inserted_at);
