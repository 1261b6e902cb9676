-- What became of the transaction $1; asked with the lock held, so that it has ended.
SELECT pg_xact_status($1::text::xid8)
