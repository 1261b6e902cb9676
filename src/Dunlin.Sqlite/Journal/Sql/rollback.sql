-- Rolls back the whole batch.
ROLLBACK
