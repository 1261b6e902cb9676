-- Sets one number of the database; it never goes back.
UPDATE dunlin_counter SET value = max(value, ?2) WHERE name = ?1
