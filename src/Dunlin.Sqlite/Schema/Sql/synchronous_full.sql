-- A commit is on disk before it completes.
PRAGMA synchronous = FULL
