-- What the next version adds.
CREATE TABLE tag (name TEXT PRIMARY KEY);
