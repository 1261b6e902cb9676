-- Deletes a slice of one topic.
DELETE FROM dunlin_journal WHERE topic = ?1 AND offset <= ?2
