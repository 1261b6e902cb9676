-- Reads the last offset of one topic.
SELECT max(offset) FROM dunlin_journal WHERE topic = ?1
