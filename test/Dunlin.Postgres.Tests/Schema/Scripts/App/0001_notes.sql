-- A table of an application.
CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL, version INTEGER NOT NULL);
