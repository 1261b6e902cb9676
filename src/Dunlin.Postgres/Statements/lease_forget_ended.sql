-- Forgets rows that nobody holds or waits for. Fences do not come back: their counter is kept elsewhere.
DELETE FROM dunlin_lease WHERE lease_id IS NULL AND waiters IS NULL AND ended_at < $1
