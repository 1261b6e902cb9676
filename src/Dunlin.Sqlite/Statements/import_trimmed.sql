-- Marks the topics of the JSON array ?1 (name, offset) as shortened by retention.
INSERT INTO dunlin_topic (name, trimmed_through) SELECT value ->> 0, value ->> 1 FROM json_each(?1) WHERE true
ON CONFLICT (name) DO UPDATE SET trimmed_through = max(trimmed_through, excluded.trimmed_through)
