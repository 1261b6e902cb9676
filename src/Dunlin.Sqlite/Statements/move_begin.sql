-- Deletes the counters of a new database, before those of another are copied.
DELETE FROM dunlin_counter
