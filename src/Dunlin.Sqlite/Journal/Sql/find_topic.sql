-- Reads the id of a topic and the offset through which it was trimmed.
SELECT id, trimmed_through FROM dunlin_topic WHERE name = ?1
