-- The topics whose names lie in a range, in order. The reader stops stepping when they are too many.
SELECT id, name FROM dunlin_topic WHERE name >= ?1 AND name < ?2 ORDER BY name
