-- One unit of work has succeeded. Fails where application code ended the transaction, and then nothing after it runs.
RELEASE SAVEPOINT dunlin_request
