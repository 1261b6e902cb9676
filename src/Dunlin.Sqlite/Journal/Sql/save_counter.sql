-- Raises a counter of the database. A counter never decreases.
UPDATE dunlin_counter SET value = max(value, ?2) WHERE name = ?1
