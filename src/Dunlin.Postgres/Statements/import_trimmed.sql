-- Marks the topics of the JSON array $1 (name, offset) as shortened by retention.
INSERT INTO dunlin_topic AS topic (name, trimmed_through)
SELECT mark ->> 0, (mark ->> 1)::BIGINT FROM json_array_elements($1::JSON) AS mark
ON CONFLICT (name) DO UPDATE SET trimmed_through = greatest(topic.trimmed_through, excluded.trimmed_through)
