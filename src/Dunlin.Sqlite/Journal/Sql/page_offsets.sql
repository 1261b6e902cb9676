-- Reads the next offsets of one topic from the index only.
SELECT offset FROM dunlin_journal WHERE topic = ?1 AND offset > ?2 AND offset <= ?3 ORDER BY offset LIMIT ?4
