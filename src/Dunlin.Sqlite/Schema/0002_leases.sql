-- One row for each resource that is held or waited for, or recently was. Times are 100 ns ticks since year 1, UTC, the precision of the
-- program.
CREATE TABLE dunlin_lease (
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
    -- The queue as a JSON array; null if nobody waits.
    waiters TEXT
) WITHOUT ROWID;

-- Finds the leases of a sign-in session when the session ends.
CREATE INDEX dunlin_lease_by_session ON dunlin_lease (session_id) WHERE session_id IS NOT NULL;

-- Finds the waiters of a session in the few rows with a queue.
CREATE INDEX dunlin_lease_waited_for ON dunlin_lease (resource) WHERE waiters IS NOT NULL;

-- Finds rows to delete, by age.
CREATE INDEX dunlin_lease_ended ON dunlin_lease (ended_at) WHERE lease_id IS NULL AND waiters IS NULL;
