-- Ends a snapshot.
ROLLBACK
