-- One request of a batch has failed: its changes go, those of its batch mates stay.
ROLLBACK TO dunlin_request
