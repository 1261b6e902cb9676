-- Forgets what every node has had time to read.
DELETE FROM dunlin_transient WHERE inserted_at < clock_timestamp() - INTERVAL '1 minute'
