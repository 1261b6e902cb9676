-- After all tables are copied, sets the next fencing token to follow $1, and the next ids to follow the copied ones. The token is a
-- sequence here, not a counter.
WITH counter AS (
    DELETE FROM dunlin_counter WHERE name = 'fence'
)
SELECT setval('dunlin_fence', greatest($1, 1), $1 > 0),
    setval(pg_get_serial_sequence('dunlin_topic', 'id'), greatest((SELECT max(id) FROM dunlin_topic), 1)),
    setval(pg_get_serial_sequence('dunlin_record', 'id'), greatest((SELECT max(id) FROM dunlin_record), 1))
