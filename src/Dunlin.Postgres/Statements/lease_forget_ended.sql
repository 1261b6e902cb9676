-- Deletes rows without holder and waiters. Fencing tokens never repeat, because their counter is stored elsewhere.
DELETE FROM dunlin_lease WHERE lease_id IS NULL AND waiters IS NULL AND ended_at < $1
