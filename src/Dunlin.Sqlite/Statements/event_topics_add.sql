-- Inserts the further topics of events: the JSON array ?1 of offset and topic. The topics exist.
INSERT INTO dunlin_event_topic (topic, offset)
SELECT topic.id, value ->> 0 FROM json_each(?1) JOIN dunlin_topic topic ON topic.name = value ->> 1 WHERE true
ON CONFLICT DO NOTHING
