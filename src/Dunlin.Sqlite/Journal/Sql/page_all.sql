-- Reads the next events of all topics. It has no limit: the reader stops stepping.
SELECT offset, topic, type, data, user_id, session_id, connection_id, device_id, time, extra FROM dunlin_journal
WHERE offset > ?1 AND offset <= ?2 ORDER BY offset
