-- Settings of a reader. It never writes, so it never runs a checkpoint.
PRAGMA query_only = ON;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -8192;
PRAGMA temp_store = MEMORY;
