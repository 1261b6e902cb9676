-- Reads the tables to copy to another store: all but the schema number.
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'dunlin_schema' ORDER BY name
