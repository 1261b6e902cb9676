-- Finds the first event with an id of another protocol that is still stored.
SELECT "offset" FROM dunlin_event_id WHERE id = $1 ORDER BY "offset" LIMIT 1
