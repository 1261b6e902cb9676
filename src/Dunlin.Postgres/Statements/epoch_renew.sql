-- Begins a new epoch and reads it.
UPDATE dunlin_counter SET value = floor(random() * 4294967295)::BIGINT + 1 WHERE name = 'epoch' RETURNING value
