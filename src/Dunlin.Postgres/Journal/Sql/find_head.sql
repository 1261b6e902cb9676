-- Reads the last offset in this snapshot, the epoch, and the time.
SELECT greatest(coalesce((SELECT max("offset") FROM dunlin_journal), 0), trimmed.value), epoch.value,
    extract(epoch FROM clock_timestamp()) * 1000000,
    coalesce((SELECT time FROM dunlin_journal ORDER BY "offset" DESC LIMIT 1), 0)
FROM dunlin_counter trimmed, dunlin_counter epoch
WHERE trimmed.name = 'trimmed_through' AND epoch.name = 'epoch'
