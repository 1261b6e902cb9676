-- Reads cursors of a subscription, by topic.
SELECT subscription, topic, kinds, acked, tail FROM dunlin_stream_link WHERE subscription = ?1 ORDER BY topic LIMIT ?2
