-- Assigns an id to this transaction. It is larger than the id of each transaction that has one now.
SELECT pg_current_xact_id()::text::bigint
