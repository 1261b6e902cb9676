-- Inserts the ids that other protocols gave to events: the JSON array ?1 of offset and id.
INSERT INTO dunlin_event_id (id, offset) SELECT value ->> 1, value ->> 0 FROM json_each(?1)
