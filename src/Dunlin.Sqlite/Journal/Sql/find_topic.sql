-- The number of a topic, and up to where it was trimmed.
SELECT id, trimmed_through FROM dunlin_topic WHERE name = ?1
