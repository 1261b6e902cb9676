-- Ends the session that still runs the transaction $1, because its client is gone. A session that is committing finishes first.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid = $1::text::xid8::xid
