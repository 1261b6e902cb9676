-- Inserts a session.
INSERT INTO dunlin_session (session_id, user_id, secret_hash, created_at, expires_at, description, security_stamp)
VALUES ($1, $2, $3, $4, $5, $6, $7)
