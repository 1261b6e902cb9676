-- Reads the topics of a range from which retention has deleted an event after an offset.
SELECT name FROM dunlin_topic WHERE name >= ?1 AND name < ?2 AND trimmed_through > ?3
