-- The second statement fails.
CREATE TABLE half (id INTEGER);
CREATE TABLE half (id INTEGER);
