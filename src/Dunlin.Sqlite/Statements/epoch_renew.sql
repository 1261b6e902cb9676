-- Begins a new epoch and reads it.
UPDATE dunlin_counter SET value = abs(random() % 4294967295) + 1 WHERE name = 'epoch' RETURNING value
