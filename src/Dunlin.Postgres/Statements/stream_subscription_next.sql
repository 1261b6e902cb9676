-- Reads when the next subscription is due.
SELECT MIN(due_at) FROM dunlin_stream_subscription WHERE due_at IS NOT NULL
