-- Reads a subscription of streams.
SELECT body, due_at FROM dunlin_stream_subscription WHERE id = ?1
