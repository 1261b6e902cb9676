-- Reads a secret by its name.
SELECT value FROM dunlin_secret WHERE name = $1
