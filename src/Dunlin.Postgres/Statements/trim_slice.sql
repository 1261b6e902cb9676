-- Removes the oldest events of the topic $1, $3 at most, through the offset $2, and remembers with it that readers before have missed
-- something. One statement, so that no snapshot holds the one without the other, and all parts see the same slice.
WITH slice AS MATERIALIZED (
    SELECT "offset" FROM dunlin_journal WHERE topic = $1 AND "offset" <= $2 ORDER BY "offset" LIMIT $3
), mark AS (
    UPDATE dunlin_topic SET trimmed_through = greatest(trimmed_through, (SELECT max("offset") FROM slice))
    WHERE id = $1 AND EXISTS (SELECT 1 FROM slice)
), counter AS (
    UPDATE dunlin_counter SET value = greatest(value, (SELECT max("offset") FROM slice))
    WHERE name = 'trimmed_through' AND EXISTS (SELECT 1 FROM slice)
)
DELETE FROM dunlin_journal WHERE "offset" IN (SELECT "offset" FROM slice)
