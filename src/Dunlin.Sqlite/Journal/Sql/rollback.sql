-- Gives up the whole batch.
ROLLBACK
