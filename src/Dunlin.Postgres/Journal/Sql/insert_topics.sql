-- The topics of a batch that may be new. Under the lock, so nobody else inserts them meanwhile.
INSERT INTO dunlin_topic (name)
SELECT added.name FROM unnest($1::TEXT[]) AS added (name)
WHERE NOT EXISTS (SELECT 1 FROM dunlin_topic known WHERE known.name = added.name COLLATE "C")
