-- Ends the savepoint of a request of a batch.
RELEASE dunlin_request
