-- Reads the topics with names in a range, in order. The reader stops stepping if there are too many.
SELECT id, name FROM dunlin_topic WHERE name >= ?1 AND name < ?2 ORDER BY name
