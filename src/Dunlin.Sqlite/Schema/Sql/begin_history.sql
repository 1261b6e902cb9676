-- Begins a new epoch if the file is a restored backup, and removes the mark of the backup.
UPDATE dunlin_counter SET value = abs(random() % 4294967295) + 1
WHERE name = 'epoch' AND EXISTS (SELECT 1 FROM dunlin_counter WHERE name = 'backup');
DELETE FROM dunlin_counter WHERE name = 'backup'
