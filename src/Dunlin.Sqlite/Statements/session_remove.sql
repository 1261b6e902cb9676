-- Deletes a session and returns its user; no row if the session does not exist.
DELETE FROM dunlin_session WHERE session_id = ?1 RETURNING user_id
