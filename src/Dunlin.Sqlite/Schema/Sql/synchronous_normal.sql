-- A commit is in the operating system before it completes. A power failure may lose the last commits, but never part of one.
PRAGMA synchronous = NORMAL
