-- Looks for rows after the id ?1. This store has one node and no gaps, so ?2 and ?3 are ignored.
-- Returns false, the number of rows up to 10,000, the age of the oldest in ms, and three numbers for other dialects.
SELECT ?2 = ?3, count(*), max(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) - coalesce(min(time), 0), 0), 0, 0, 0
FROM (SELECT time FROM dunlin_outbox WHERE id > ?1 ORDER BY id LIMIT 10000)
