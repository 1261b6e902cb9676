-- Removes a subscription of streams.
DELETE FROM dunlin_stream_subscription WHERE id = ?1
