-- The end of the next slice to remove.
SELECT max(offset), count(*) FROM (SELECT offset FROM dunlin_journal WHERE topic = ?1 AND offset <= ?2 ORDER BY offset LIMIT ?3)
