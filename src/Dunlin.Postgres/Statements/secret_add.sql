-- Keeps a secret unless there is one of its name.
INSERT INTO dunlin_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
