-- One row for each resource that is held or waited for, or was so a while ago. Times are 100 ns ticks since year 1, UTC:
-- exactly what the program holds.
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
    -- The queue as a JSON array; null where nobody waits.
    waiters TEXT COLLATE "C"
);

-- The leases of one sign-in session, for the end of that session.
CREATE INDEX dunlin_lease_by_session ON dunlin_lease (session_id) WHERE session_id IS NOT NULL;

-- The few rows that have a queue, to find the waiters of one session.
CREATE INDEX dunlin_lease_waited_for ON dunlin_lease (resource) WHERE waiters IS NOT NULL;

-- The rows that can be forgotten, by age.
CREATE INDEX dunlin_lease_ended ON dunlin_lease (ended_at) WHERE lease_id IS NULL AND waiters IS NULL;

-- What is due to end, for the node that looks after the leases of nodes that are gone.
CREATE INDEX dunlin_lease_due ON dunlin_lease (expires_at) WHERE lease_id IS NOT NULL;
