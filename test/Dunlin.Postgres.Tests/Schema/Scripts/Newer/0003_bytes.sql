-- The word for bytes of other databases.
CREATE TABLE picture (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
