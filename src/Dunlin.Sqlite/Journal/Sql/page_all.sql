-- The next events of all topics. The limit is not bound here: the reader stops stepping.
SELECT offset, topic, type, data, user_id, session_id, connection_id, device_id, time FROM dunlin_journal
WHERE offset > ?1 AND offset <= ?2 ORDER BY offset
