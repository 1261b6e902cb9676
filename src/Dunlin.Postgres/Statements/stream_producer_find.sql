-- Reads the state of a producer.
SELECT epoch, sequence FROM dunlin_stream_producer WHERE stream = $1 AND producer = $2
