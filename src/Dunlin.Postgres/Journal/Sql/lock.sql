-- Takes the lock under which offsets are assigned, until the transaction ends. See dunlin_journal.
SELECT id FROM dunlin_lock WHERE id = 1 FOR UPDATE
