-- Inserts the events of the JSON array ?1: offset, topic, type, data in hexadecimal digits, user, session, connection, device,
-- milliseconds, extra in hexadecimal digits.
INSERT INTO dunlin_journal (offset, topic, type, data, user_id, session_id, connection_id, device_id, time, extra)
SELECT value ->> 0, (SELECT id FROM dunlin_topic WHERE name = value ->> 1), value ->> 2, unhex(value ->> 3),
    value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, unhex(value ->> 9)
FROM json_each(?1)
