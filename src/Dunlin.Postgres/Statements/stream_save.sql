-- Inserts or replaces the stream of a topic.
INSERT INTO dunlin_stream (topic, id, status, content_type, starts_after, trimmed_through, trim_due, closed_at, closed_by, last_sequence,
    ttl, expires_at, source, fork)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (topic) DO UPDATE SET
    id = excluded.id, status = excluded.status, content_type = excluded.content_type, starts_after = excluded.starts_after,
    trimmed_through = excluded.trimmed_through,
    trim_due = excluded.trim_due, closed_at = excluded.closed_at, closed_by = excluded.closed_by, last_sequence = excluded.last_sequence,
    ttl = excluded.ttl,
    expires_at = excluded.expires_at, source = excluded.source, fork = excluded.fork
