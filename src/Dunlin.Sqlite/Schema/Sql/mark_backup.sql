-- Marks a copy of a database as a backup: the store that opens it begins a new epoch.
INSERT OR REPLACE INTO dunlin_counter (name, value) VALUES ('backup', 1)
