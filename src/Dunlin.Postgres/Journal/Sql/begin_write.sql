-- Bounds, for this transaction alone, how long it may wait for the lock, run one statement, and be idle: a node that is
-- paused while it holds the lock is disconnected by the server, and the others go on. Milliseconds.
SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true), set_config('idle_in_transaction_session_timeout', $3, true)
