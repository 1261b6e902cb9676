-- A page of topics, for retention.
SELECT id, name FROM dunlin_topic WHERE id > ?1 ORDER BY id LIMIT ?2
