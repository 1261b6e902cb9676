-- Reads the outcome of the transaction $1, which was at the position $2 of the log at the time $3 in microseconds.
-- A crash loses log that was not flushed, and the server then gives the same transaction ids again. Recovery resets the statistics and
-- writes a checkpoint where the recovered log ends. A position after it proves that the transaction was lost, also if its id has a
-- committed owner now.
SELECT CASE
    WHEN $2::text::pg_lsn > recovery.redo_lsn
        AND recovery.checkpoint_time >= date_trunc('second', began.at)
        AND statistics.stats_reset > began.at THEN 'aborted'
    ELSE pg_xact_status($1::text::xid8)
    END
FROM pg_control_checkpoint() recovery, pg_stat_bgwriter statistics, to_timestamp($3::bigint / 1000000.0) began(at)
