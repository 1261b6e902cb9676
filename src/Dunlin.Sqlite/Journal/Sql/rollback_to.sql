-- Rolls back one request. The changes of other requests in its batch stay.
ROLLBACK TO dunlin_request
