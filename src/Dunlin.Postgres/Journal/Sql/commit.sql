-- Makes the whole batch durable with one sync.
COMMIT
