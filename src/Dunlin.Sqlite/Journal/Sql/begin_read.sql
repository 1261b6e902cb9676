-- Opens a snapshot, which starts with the first read.
BEGIN DEFERRED
