-- One row for each resource that is held or waited for, or recently was. Times are 100 ns ticks since year 1, UTC, the precision of the
-- program.
CREATE TABLE dunlin_lease (
    resource TEXT COLLATE "C" PRIMARY KEY,
    fence BIGINT NOT NULL,
    lease_id TEXT COLLATE "C",
    user_id TEXT COLLATE "C",
    user_name TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    connection_id TEXT COLLATE "C",
    device_id TEXT COLLATE "C",
    acquired_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    end_reason BIGINT NOT NULL,
    ended_lease_id TEXT COLLATE "C",
    ended_at BIGINT NOT NULL,
    ending BIGINT NOT NULL,
    -- The queue as a JSON array; null if nobody waits.
    waiters TEXT COLLATE "C"
);

-- Finds the leases of a sign-in session when the session ends.
CREATE INDEX dunlin_lease_by_session ON dunlin_lease (session_id) WHERE session_id IS NOT NULL;

-- Finds the waiters of a session in the few rows with a queue.
CREATE INDEX dunlin_lease_waited_for ON dunlin_lease (resource) WHERE waiters IS NOT NULL;

-- Finds rows to delete, by age.
CREATE INDEX dunlin_lease_ended ON dunlin_lease (ended_at) WHERE lease_id IS NULL AND waiters IS NULL;

-- Finds expired leases, for the sweep of leases whose node is gone.
CREATE INDEX dunlin_lease_due ON dunlin_lease (expires_at) WHERE lease_id IS NOT NULL;
