-- The last event of one topic that is too many, counted from its end: more than $2 events or $3 bytes stand from it on.
SELECT coalesce(max("offset"), 0) FROM (
    SELECT "offset", row_number() OVER newer AS number, sum(octet_length(data)) OVER newer AS bytes
    FROM dunlin_journal WHERE topic = $1 WINDOW newer AS (ORDER BY "offset" DESC)
) AS event WHERE number > $2 OR bytes > $3
