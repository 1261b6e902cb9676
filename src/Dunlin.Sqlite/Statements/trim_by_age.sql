-- The first event of one topic that is young enough to stay. Reads as many as will be removed, and one more.
SELECT offset FROM dunlin_journal WHERE topic = ?1 AND time >= ?2 ORDER BY offset LIMIT 1
