-- After all tables are copied, sets the next fencing token to follow ?1.
INSERT OR REPLACE INTO dunlin_counter (name, value) VALUES ('fence', ?1)
