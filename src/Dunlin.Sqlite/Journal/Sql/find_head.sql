-- Reads the offset of the last event ever appended, even if retention has deleted it.
SELECT max(coalesce((SELECT max(offset) FROM dunlin_journal), 0), (SELECT value FROM dunlin_counter WHERE name = 'trimmed_through'))
