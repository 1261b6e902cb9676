-- Terminates the session of the server process $1, which belongs to this role. Its transaction is rolled back.
SELECT pg_terminate_backend($1::int)
