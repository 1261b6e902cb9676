-- Opens a snapshot; it begins with the first read.
BEGIN DEFERRED
