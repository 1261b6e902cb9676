-- Deletes transient events that all nodes have had time to read.
DELETE FROM dunlin_transient WHERE inserted_at < clock_timestamp() - INTERVAL '1 minute'
