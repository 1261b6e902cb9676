-- Records that the events of the stream ?1 through the offset ?2 are deleted, and forgets a removed stream. A later trim stays due.
DELETE FROM dunlin_stream WHERE id = ?1 AND status = 2 AND trim_due = ?2;
UPDATE dunlin_stream SET trim_due = NULL WHERE id = ?1 AND trim_due = ?2
