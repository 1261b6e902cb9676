-- Reads what a scan compares of all subscriptions.
SELECT id, owner, pattern, wake_topic FROM dunlin_stream_subscription ORDER BY id
