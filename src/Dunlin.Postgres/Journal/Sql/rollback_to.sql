-- One unit of work has failed: its changes go, those of its batch mates stay.
ROLLBACK TO SAVEPOINT dunlin_request
