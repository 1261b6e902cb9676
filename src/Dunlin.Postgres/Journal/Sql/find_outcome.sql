-- Reads the outcome of the transaction $1. The lock must be held, so that the transaction has ended.
SELECT pg_xact_status($1::text::xid8)
