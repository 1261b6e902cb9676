-- Ends a session.
DELETE FROM dunlin_session WHERE session_id = ?1
