-- Reads the sessions that have not expired, oldest first.
SELECT session_id, user_id, secret_hash, created_at, expires_at, description, security_stamp FROM dunlin_session
WHERE expires_at > ?1 ORDER BY created_at, session_id
