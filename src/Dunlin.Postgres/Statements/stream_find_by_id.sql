-- Reads the stream with an id, with the last offset of its topic.
SELECT topic, id, status, content_type, starts_after, trimmed_through, trim_due, closed_at, closed_by, last_sequence,
    ttl, expires_at, source, fork,
    coalesce((SELECT max("offset") FROM dunlin_journal WHERE topic = (SELECT id FROM dunlin_topic WHERE name = s.topic)), 0)
FROM dunlin_stream s WHERE s.id = $1
