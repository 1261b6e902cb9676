-- Reads the state from which the writer starts. A separate statement after the lock, so that its snapshot is newer than the lock and
-- includes all commits of earlier holders of the lock.
-- The time is the later of the database clock and the time of the last event, so it never goes back. The transaction id, the position in
-- the log and the time later show the outcome. The lock was logged with the id before, so the position is behind the first use of the id.
SELECT greatest(coalesce((SELECT max("offset") FROM dunlin_journal), 0), trimmed.value), epoch.value,
    extract(epoch FROM clock_timestamp()) * 1000000,
    coalesce((SELECT time FROM dunlin_journal ORDER BY "offset" DESC LIMIT 1), 0),
    concat_ws(' ', pg_current_xact_id(), pg_current_wal_insert_lsn(), (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT),
    pg_backend_pid()
FROM dunlin_counter trimmed, dunlin_counter epoch
WHERE trimmed.name = 'trimmed_through' AND epoch.name = 'epoch'
