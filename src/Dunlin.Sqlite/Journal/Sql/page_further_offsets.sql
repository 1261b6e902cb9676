-- Reads the next offsets of the events that have this topic as a further one.
SELECT offset FROM dunlin_event_topic WHERE topic = ?1 AND offset > ?2 AND offset <= ?3 ORDER BY offset LIMIT ?4
