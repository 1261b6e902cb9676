-- Reads live streams that have ended, earliest first.
SELECT topic FROM dunlin_stream WHERE status = 0 AND expires_at <= $1 ORDER BY expires_at LIMIT $2
