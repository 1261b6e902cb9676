-- Reads the cursor of a subscription on a stream.
SELECT subscription, topic, kinds, acked, tail FROM dunlin_stream_link WHERE subscription = $1 AND topic = $2
