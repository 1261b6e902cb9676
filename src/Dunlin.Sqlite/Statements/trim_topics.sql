-- Reads a page of topics for retention, each with its last offset (0 if it has no event left) and the time of its first event. Most topics
-- need no further statement. The events of streams do not follow the rules.
SELECT id, name, coalesce((SELECT max(offset) FROM dunlin_journal WHERE topic = dunlin_topic.id), 0),
    coalesce((SELECT time FROM dunlin_journal WHERE topic = dunlin_topic.id ORDER BY offset LIMIT 1), 0)
FROM dunlin_topic WHERE id > ?1
    AND NOT EXISTS (SELECT 1 FROM dunlin_stream WHERE dunlin_stream.topic = dunlin_topic.name) ORDER BY id LIMIT ?2
