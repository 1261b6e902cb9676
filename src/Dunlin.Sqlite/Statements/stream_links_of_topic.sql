-- Reads the cursors of all subscriptions on a stream.
SELECT subscription, topic, kinds, acked, tail FROM dunlin_stream_link WHERE topic = ?1 ORDER BY subscription
