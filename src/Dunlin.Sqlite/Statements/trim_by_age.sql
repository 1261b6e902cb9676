-- Finds the first event of a topic that is young enough to stay. Reads the events to delete and one more.
SELECT offset FROM dunlin_journal WHERE topic = ?1 AND time >= ?2 ORDER BY offset LIMIT 1
