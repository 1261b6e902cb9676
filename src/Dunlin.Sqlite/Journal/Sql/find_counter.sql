-- Reads a counter of the database.
SELECT value FROM dunlin_counter WHERE name = ?1
