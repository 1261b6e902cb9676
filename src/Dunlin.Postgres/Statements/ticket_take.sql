-- Deletes and returns a ticket: of any number of concurrent attempts, one receives the row.
DELETE FROM dunlin_ticket WHERE hash = $1 AND expires_at > $2
RETURNING user_id, name, roles, session_id, checks_session, expires_at, credential_expires_at, grants
