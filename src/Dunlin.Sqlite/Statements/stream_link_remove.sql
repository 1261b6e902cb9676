-- Removes the cursor of a subscription on a stream.
DELETE FROM dunlin_stream_link WHERE subscription = ?1 AND topic = ?2
