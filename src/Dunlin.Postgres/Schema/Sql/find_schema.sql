-- Reads the name of the schema of the store.
SELECT current_schema()::TEXT
