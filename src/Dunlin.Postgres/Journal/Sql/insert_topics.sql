-- Inserts topics that may be new. The lock is held, so no other node inserts them concurrently.
INSERT INTO dunlin_topic (name)
SELECT added.name FROM unnest($1::TEXT[]) AS added (name)
WHERE NOT EXISTS (SELECT 1 FROM dunlin_topic known WHERE known.name = added.name COLLATE "C")
