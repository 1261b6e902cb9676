-- Reads a lease row.
SELECT resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id,
    acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters
FROM dunlin_lease WHERE resource = $1
