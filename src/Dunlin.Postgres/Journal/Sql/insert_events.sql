-- Inserts the events of a batch. A plain insert: an existing offset must fail and never be replaced. The topic id is looked up per row,
-- because the planner could execute a join as a scan of all topics.
INSERT INTO dunlin_journal ("offset", topic, type, data, user_id, session_id, connection_id, device_id, time, extra)
SELECT $1 + appended.number - 1, (SELECT id FROM dunlin_topic WHERE name = appended.topic COLLATE "C"), appended.type, appended.data,
    appended.user_id, appended.session_id, appended.connection_id, appended.device_id, $9, appended.extra
FROM unnest($2::TEXT[], $3::TEXT[], $4::BYTEA[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TEXT[], $10::BYTEA[])
    WITH ORDINALITY AS appended (topic, type, data, user_id, session_id, connection_id, device_id, extra, number)
