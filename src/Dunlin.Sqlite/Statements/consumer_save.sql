-- Inserts or replaces a consumer group.
INSERT INTO dunlin_consumer (name, through, holder, token, until, failures, retry_at, fault)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (name) DO UPDATE SET
    through = excluded.through, holder = excluded.holder, token = excluded.token, until = excluded.until,
    failures = excluded.failures, retry_at = excluded.retry_at, fault = excluded.fault
