-- Remembers a script, in its own transaction.
INSERT INTO dunlin_schema (name, number) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET number = excluded.number
