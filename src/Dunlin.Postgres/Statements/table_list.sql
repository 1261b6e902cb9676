-- Reads the tables to copy to another store: all but the schema number and the tables that only shared databases need.
SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
    AND tablename NOT IN ('dunlin_schema', 'dunlin_lock', 'dunlin_secret', 'dunlin_ticket', 'dunlin_transient') ORDER BY tablename
