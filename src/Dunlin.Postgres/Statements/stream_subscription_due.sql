-- Reads subscriptions that are due, earliest first.
SELECT body, due_at FROM dunlin_stream_subscription WHERE due_at <= $1 ORDER BY due_at LIMIT $2
