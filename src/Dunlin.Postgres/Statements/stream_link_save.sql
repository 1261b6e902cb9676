-- Inserts or replaces the cursor of a subscription on a stream.
INSERT INTO dunlin_stream_link (subscription, topic, kinds, acked, tail) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (subscription, topic) DO UPDATE SET kinds = excluded.kinds, acked = excluded.acked, tail = excluded.tail
