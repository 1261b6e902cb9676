-- Reads cursors of a subscription with appends after them, the least advanced first.
SELECT subscription, topic, kinds, acked, tail FROM dunlin_stream_link WHERE subscription = $1 AND tail > acked ORDER BY acked, topic LIMIT $2
