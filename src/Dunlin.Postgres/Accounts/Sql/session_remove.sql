-- Ends a session; the user whose it was, where there was one.
DELETE FROM dunlin_session WHERE session_id = $1 RETURNING user_id
