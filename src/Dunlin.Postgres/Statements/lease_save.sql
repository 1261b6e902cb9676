-- Inserts or replaces a lease row.
INSERT INTO dunlin_lease (resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id,
    acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (resource) DO UPDATE SET fence = excluded.fence, lease_id = excluded.lease_id, user_id = excluded.user_id,
    user_name = excluded.user_name, session_id = excluded.session_id, connection_id = excluded.connection_id,
    device_id = excluded.device_id, acquired_at = excluded.acquired_at, expires_at = excluded.expires_at,
    seconds = excluded.seconds, end_reason = excluded.end_reason, ended_lease_id = excluded.ended_lease_id,
    ended_at = excluded.ended_at, ending = excluded.ending, waiters = excluded.waiters
