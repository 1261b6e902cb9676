-- The number of the last script that ran, for each set of scripts.
CREATE TABLE IF NOT EXISTS dunlin_schema (name TEXT COLLATE "C" PRIMARY KEY, number INTEGER NOT NULL)
