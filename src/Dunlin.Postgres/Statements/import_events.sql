-- Inserts the events of the JSON array $1: offset, topic, type, data in hexadecimal digits, user, session, connection, device,
-- milliseconds, extra in hexadecimal digits.
INSERT INTO dunlin_journal ("offset", topic, type, data, user_id, session_id, connection_id, device_id, time, extra)
SELECT (event ->> 0)::BIGINT, (SELECT id FROM dunlin_topic WHERE name = event ->> 1), event ->> 2, decode(event ->> 3, 'hex'),
    event ->> 4, event ->> 5, event ->> 6, event ->> 7, (event ->> 8)::BIGINT, decode(event ->> 9, 'hex')
FROM json_array_elements($1::JSON) AS event
