-- Reads the last fencing token; 0 for none.
SELECT value FROM dunlin_counter WHERE name = 'fence'
