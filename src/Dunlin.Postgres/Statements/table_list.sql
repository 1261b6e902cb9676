-- Reads the tables to copy to another store: all but the schema number, the tables that only shared databases need, and the outbox, whose
-- order is kept by inserting its rows one after another.
SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
    AND tablename NOT IN ('dunlin_schema', 'dunlin_lock', 'dunlin_secret', 'dunlin_ticket', 'dunlin_transient', 'dunlin_outbox', 'dunlin_outbox_order')
ORDER BY tablename
