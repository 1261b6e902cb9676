-- Reads the state from which the writer starts. A separate statement after the lock, so that its snapshot is newer than the lock and
-- includes all commits of earlier holders of the lock.
-- The time is the later of the database clock and the time of the last event, so it never goes back. The transaction id later shows the
-- outcome.
SELECT greatest(coalesce((SELECT max("offset") FROM dunlin_journal), 0), trimmed.value), epoch.value,
    extract(epoch FROM clock_timestamp()) * 1000000,
    coalesce((SELECT time FROM dunlin_journal ORDER BY "offset" DESC LIMIT 1), 0),
    pg_current_xact_id()::text::BIGINT, pg_backend_pid()
FROM dunlin_counter trimmed, dunlin_counter epoch
WHERE trimmed.name = 'trimmed_through' AND epoch.name = 'epoch'
