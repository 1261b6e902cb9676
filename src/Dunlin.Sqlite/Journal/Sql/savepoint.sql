-- Starts one request of a batch.
SAVEPOINT dunlin_request
