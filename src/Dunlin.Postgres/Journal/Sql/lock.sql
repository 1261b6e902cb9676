-- The lock under which offsets are taken; held until the transaction ends. See dunlin_journal.
SELECT id FROM dunlin_lock WHERE id = 1 FOR UPDATE
