-- Adds the topics of the JSON array ?1 that do not exist yet.
INSERT INTO dunlin_topic (name) SELECT value FROM json_each(?1) WHERE true ON CONFLICT (name) DO NOTHING
