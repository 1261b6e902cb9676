-- Removes the cursors of a subscription.
DELETE FROM dunlin_stream_link WHERE subscription = ?1
