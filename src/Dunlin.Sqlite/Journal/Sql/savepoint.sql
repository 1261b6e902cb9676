-- Where one request of a batch begins.
SAVEPOINT dunlin_request
