-- The offset of the last event ever appended: still there, or removed by retention.
SELECT max(coalesce((SELECT max(offset) FROM dunlin_journal), 0), (SELECT value FROM dunlin_counter WHERE name = 'trimmed_through'))
