-- Reads cursors of a subscription with appends after them, by topic.
SELECT subscription, topic, kinds, acked, tail FROM dunlin_stream_link WHERE subscription = ?1 AND tail > acked ORDER BY topic LIMIT ?2
