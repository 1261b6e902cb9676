-- Deletes the producers of a stream.
DELETE FROM dunlin_stream_producer WHERE stream = $1
