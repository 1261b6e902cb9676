-- Reads streams with events to delete: id, number of the topic (0 if it never had an event), and the offset through which to delete.
SELECT s.id, coalesce((SELECT id FROM dunlin_topic WHERE name = s.topic), 0), s.trim_due FROM dunlin_stream s
WHERE s.trim_due IS NOT NULL LIMIT ?1
