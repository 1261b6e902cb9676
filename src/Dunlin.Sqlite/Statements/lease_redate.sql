-- Runs at the start: each held lease ends one full duration after ?1 (see SqliteStore). A second has 10000000 ticks.
UPDATE dunlin_lease SET expires_at = ?1 + seconds * 10000000 WHERE lease_id IS NOT NULL
