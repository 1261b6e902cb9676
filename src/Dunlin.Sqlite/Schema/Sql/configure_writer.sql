-- Settings of the writer. Checkpoints are run by the program after the answers, not by SQLite inside a commit; the log
-- is cut back to 64 MiB once a burst is over; foreign keys of the application are enforced.
PRAGMA journal_mode = WAL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -32768;
PRAGMA temp_store = MEMORY;
PRAGMA foreign_keys = ON;
