-- Reads a page of topics for retention, each with its last offset (0 if it has no event left).
SELECT id, name, coalesce((SELECT max(offset) FROM dunlin_journal WHERE topic = dunlin_topic.id), 0) FROM dunlin_topic WHERE id > ?1 ORDER BY id LIMIT ?2
