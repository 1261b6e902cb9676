-- Inserts the ids that other protocols gave to events: the JSON array $1 of offset and id.
INSERT INTO dunlin_event_id (id, "offset") SELECT pair ->> 1, (pair ->> 0)::BIGINT FROM json_array_elements($1::JSON) AS pair
