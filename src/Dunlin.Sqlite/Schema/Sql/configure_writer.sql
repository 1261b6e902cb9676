-- Settings of the writer. The program runs checkpoints after it has completed a batch, so that SQLite runs none inside a commit. The log is
-- truncated to 64 MiB after a burst. Foreign keys of the application are enforced.
PRAGMA journal_mode = WAL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -32768;
PRAGMA temp_store = MEMORY;
PRAGMA foreign_keys = ON;
