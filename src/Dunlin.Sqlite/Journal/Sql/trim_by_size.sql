-- The events of one topic from the last to the first, with their sizes. The reader stops at the first too many.
SELECT offset, length(data) FROM dunlin_journal WHERE topic = ?1 ORDER BY offset DESC
