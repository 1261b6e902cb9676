-- Deletes the oldest events of the topic $1, at most $3, through the offset $2, and records that earlier readers have missed events. One
-- statement, so that each snapshot contains both changes or none, and all parts see the same slice.
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
