-- What was said in which team.
CREATE TABLE message (id INTEGER PRIMARY KEY, team TEXT NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL);
