-- Reads a session.
SELECT session_id, user_id, secret_hash, created_at, expires_at, description, security_stamp FROM dunlin_session WHERE session_id = ?1
