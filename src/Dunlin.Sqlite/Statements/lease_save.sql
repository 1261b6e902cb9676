-- Inserts or replaces a lease row.
INSERT OR REPLACE INTO dunlin_lease (resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id,
    acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
