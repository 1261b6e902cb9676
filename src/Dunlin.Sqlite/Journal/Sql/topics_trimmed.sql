-- Those of a range of which retention has removed something after an offset.
SELECT name FROM dunlin_topic WHERE name >= ?1 AND name < ?2 AND trimmed_through > ?3
