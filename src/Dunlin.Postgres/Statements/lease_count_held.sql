-- Counts the leases that the user $1 holds at the time $2, up to $3.
SELECT count(*) FROM (SELECT 1 FROM dunlin_lease WHERE user_id = $1 AND expires_at > $2 LIMIT $3) AS held
