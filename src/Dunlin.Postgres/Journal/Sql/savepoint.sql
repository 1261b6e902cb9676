-- Where one unit of work of a batch begins.
SAVEPOINT dunlin_request
