-- After a start: every held lease ends one full duration from ?1 (see SqliteStore). 10000000 ticks are a second.
UPDATE dunlin_lease SET expires_at = ?1 + seconds * 10000000 WHERE lease_id IS NOT NULL
