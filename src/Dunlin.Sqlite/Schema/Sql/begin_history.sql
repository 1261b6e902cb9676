-- If the file is a restored backup: begins a new epoch, leaves out the fencing tokens that the lost history may have granted (see
-- fence_skip.sql), and removes the mark of the backup.
UPDATE dunlin_counter SET value = abs(random() % 4294967295) + 1
WHERE name = 'epoch' AND EXISTS (SELECT 1 FROM dunlin_counter WHERE name = 'backup');
UPDATE dunlin_counter SET value = max(value, CAST(unixepoch('subsec') * 1000000 AS INTEGER))
WHERE name = 'fence' AND EXISTS (SELECT 1 FROM dunlin_counter WHERE name = 'backup');
DELETE FROM dunlin_counter WHERE name = 'backup'
