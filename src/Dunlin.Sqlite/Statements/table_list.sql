-- Reads the tables to copy to another store: all but the schema number, and the outbox, whose order is kept by inserting its rows one after
-- another.
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('dunlin_schema', 'dunlin_outbox') ORDER BY name
