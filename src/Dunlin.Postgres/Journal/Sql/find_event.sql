-- Whether the event at $1 is the one that was appended: its time, type and data.
SELECT count(*) FROM dunlin_journal WHERE "offset" = $1 AND time = $2 AND type = $3 AND data = $4
