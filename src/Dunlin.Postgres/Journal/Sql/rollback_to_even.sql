-- Rolls back one unit of work. The changes of other requests in its batch stay.
ROLLBACK TO SAVEPOINT dunlin_even
