-- Limits, for this transaction only, the wait for the lock, the duration of a statement and the idle time, in milliseconds. If a node
-- stalls while it holds the lock, the server disconnects it and the other nodes continue.
SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true), set_config('idle_in_transaction_session_timeout', $3, true)
