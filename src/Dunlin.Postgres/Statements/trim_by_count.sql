-- Finds the last event of a topic to delete: the newest one that $2 newer events follow. Reads the index only, up to $2 entries.
SELECT "offset" FROM dunlin_journal WHERE topic = $1 ORDER BY "offset" DESC LIMIT 1 OFFSET $2
