-- Reads the name of a topic.
SELECT name FROM dunlin_topic WHERE id = ?1
