-- Inserts a secret unless one with its name exists.
INSERT INTO dunlin_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
