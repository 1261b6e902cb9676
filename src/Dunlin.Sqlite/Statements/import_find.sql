-- Reads the last offset, and the file and the offset of an interrupted import (0 for none).
SELECT max(coalesce((SELECT max(offset) FROM dunlin_journal), 0), (SELECT value FROM dunlin_counter WHERE name = 'trimmed_through')),
    coalesce((SELECT value FROM dunlin_counter WHERE name = 'import'), 0),
    coalesce((SELECT value FROM dunlin_counter WHERE name = 'import_through'), 0)
