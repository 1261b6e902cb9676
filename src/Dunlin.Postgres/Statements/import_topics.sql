-- Adds the topics of the JSON array $1 that do not exist yet.
INSERT INTO dunlin_topic (name) SELECT topic FROM json_array_elements_text($1::JSON) AS topic ON CONFLICT (name) DO NOTHING
