-- The tables that move to another store: all but the number of the schema.
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'dunlin_schema' ORDER BY name
