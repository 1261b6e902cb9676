-- Deletes expired tickets: a few with each new one, so that they do not accumulate.
DELETE FROM dunlin_ticket WHERE hash IN (SELECT hash FROM dunlin_ticket WHERE expires_at <= $1 ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED)
