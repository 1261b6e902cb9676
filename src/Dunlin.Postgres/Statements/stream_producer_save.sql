-- Inserts or replaces the state of a producer.
INSERT INTO dunlin_stream_producer (stream, producer, epoch, sequence) VALUES ($1, $2, $3, $4)
ON CONFLICT (stream, producer) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence
