-- Finds one fork of a stream that is not removed.
SELECT id FROM dunlin_stream WHERE source = ?1 AND status <> 2 LIMIT 1
