-- The tables that move to another store: all but the number of the schema and what only nodes that share a database need.
SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
    AND tablename NOT IN ('dunlin_schema', 'dunlin_lock', 'dunlin_secret', 'dunlin_ticket', 'dunlin_transient') ORDER BY tablename
