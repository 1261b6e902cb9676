-- Remembers a script, in its own transaction.
INSERT OR REPLACE INTO dunlin_schema (name, number) VALUES (?1, ?2)
