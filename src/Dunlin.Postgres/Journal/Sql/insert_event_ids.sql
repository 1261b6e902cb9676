-- Inserts the ids that other protocols gave to events of a batch.
INSERT INTO dunlin_event_id (id, "offset") SELECT id, "offset" FROM unnest($1::TEXT[], $2::BIGINT[]) AS event (id, "offset")
