-- Saves the file ($1) and the last imported offset ($2) of an import that is not complete yet.
INSERT INTO dunlin_counter (name, value) VALUES ('import', $1), ('import_through', $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
