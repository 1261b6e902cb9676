-- Ends a session. Returns its user; no row where there is no such session.
DELETE FROM dunlin_session WHERE session_id = $1 RETURNING user_id
