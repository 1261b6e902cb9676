-- Inserts or replaces a subscription of streams.
INSERT INTO dunlin_stream_subscription (id, owner, pattern, wake_topic, due_at, body) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET
    owner = excluded.owner, pattern = excluded.pattern, wake_topic = excluded.wake_topic, due_at = excluded.due_at, body = excluded.body
