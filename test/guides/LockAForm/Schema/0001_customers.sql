CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, phone TEXT NOT NULL);
INSERT INTO customer (id, name, phone) VALUES (1, 'Ada Ltd', '555 0100');
