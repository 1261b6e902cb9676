-- Stores the number of the last executed script of each set of scripts.
CREATE TABLE IF NOT EXISTS dunlin_schema (name TEXT COLLATE "C" PRIMARY KEY, number INTEGER NOT NULL)
