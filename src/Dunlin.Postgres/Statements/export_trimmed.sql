-- Reads a page of the topics from which retention deleted events, by name.
SELECT name, trimmed_through FROM dunlin_topic WHERE name > $1 COLLATE "C" AND trimmed_through > 0 ORDER BY name LIMIT $2
