-- Counts events at the offset $1 with the given time, type and data: 1 if the appended event exists.
SELECT count(*) FROM dunlin_journal WHERE "offset" = $1 AND time = $2 AND type = $3 AND data = $4
