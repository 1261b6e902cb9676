-- Deletes sessions that expired before a time.
DELETE FROM dunlin_session WHERE expires_at < $1
