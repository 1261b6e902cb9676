-- Finds the newest event to delete: $2 newer events of its topic are kept. Reads at most $2 entries of the index, and no event.
SELECT "offset" FROM dunlin_journal WHERE topic = $1 ORDER BY "offset" DESC LIMIT 1 OFFSET $2
