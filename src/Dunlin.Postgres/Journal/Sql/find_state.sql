-- What the writer starts from. A statement of its own after the lock, so that its snapshot is younger than the lock: it
-- holds everything that any earlier holder of the lock has committed. The time is the later of the database's clock and
-- that of the last event, so that it never goes back; the transaction's number tells later what became of it.
SELECT greatest(coalesce((SELECT max("offset") FROM dunlin_journal), 0), trimmed.value), epoch.value,
    extract(epoch FROM clock_timestamp()) * 1000000,
    coalesce((SELECT time FROM dunlin_journal ORDER BY "offset" DESC LIMIT 1), 0),
    pg_current_xact_id()::text::BIGINT, pg_backend_pid()
FROM dunlin_counter trimmed, dunlin_counter epoch
WHERE trimmed.name = 'trimmed_through' AND epoch.name = 'epoch'
