-- Makes room, in a new database, for the single numbers of another.
DELETE FROM dunlin_counter
