-- Removes a slice of one topic, and remembers with it that readers before have missed something. One statement, so that no
-- snapshot holds the one without the other.
WITH slice AS (
    SELECT "offset" FROM dunlin_journal WHERE topic = $1 AND "offset" <= $2 ORDER BY "offset" LIMIT $3
), removed AS (
    DELETE FROM dunlin_journal WHERE "offset" IN (SELECT "offset" FROM slice) RETURNING "offset"
), mark AS (
    UPDATE dunlin_topic SET trimmed_through = greatest(trimmed_through, (SELECT max("offset") FROM removed))
    WHERE id = $1 AND EXISTS (SELECT 1 FROM removed)
), counter AS (
    UPDATE dunlin_counter SET value = greatest(value, (SELECT max("offset") FROM removed))
    WHERE name = 'trimmed_through' AND EXISTS (SELECT 1 FROM removed)
)
SELECT count(*) FROM removed
