-- Makes the whole batch durable: one sync.
COMMIT
