-- Finds the last event of a topic to delete, counted from the end: from it on there are more than ?2 events or ?3 bytes.
SELECT coalesce(max(offset), 0) FROM (
    SELECT offset, row_number() OVER newer AS number, sum(length(data)) OVER newer AS bytes
    FROM dunlin_journal WHERE topic = ?1 WINDOW newer AS (ORDER BY offset DESC ROWS UNBOUNDED PRECEDING)
) WHERE number > ?2 OR bytes > ?3
