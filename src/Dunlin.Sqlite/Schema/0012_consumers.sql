-- Consumer groups: durable cursors on the journal, and the claim of one node on each.
CREATE TABLE dunlin_consumer (
    name TEXT NOT NULL PRIMARY KEY,
    -- The offset through which all events are processed; -1 before the first read of a group that starts at the oldest event.
    through INTEGER NOT NULL,
    -- The node that holds the group; null if it is free.
    holder TEXT,
    -- The fencing token of the last claim.
    token INTEGER NOT NULL,
    -- When the claim ends, in 100 ns ticks since year 1, UTC.
    until INTEGER,
    -- Failures since the last checkpoint, the time of the next attempt in ticks, and the text of the last failure.
    failures INTEGER NOT NULL,
    retry_at INTEGER,
    fault TEXT
) STRICT;
