-- After all tables have come: the next fencing token follows ?1.
INSERT OR REPLACE INTO dunlin_counter (name, value) VALUES ('fence', ?1)
