-- Inserts transient events of the node $1 with their increasing numbers.
INSERT INTO dunlin_transient (node, number, topic, type, data, user_id, session_id, connection_id, device_id, time, extra)
SELECT $1, sent.number, sent.topic, sent.type, sent.data, sent.user_id, sent.session_id, sent.connection_id, sent.device_id, sent.time, sent.extra
FROM unnest($2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::BYTEA[], $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::BIGINT[], $11::BYTEA[])
    AS sent (number, topic, type, data, user_id, session_id, connection_id, device_id, time, extra)
