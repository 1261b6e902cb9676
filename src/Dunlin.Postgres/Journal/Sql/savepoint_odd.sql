-- Starts one unit of work of a batch.
SAVEPOINT dunlin_odd
