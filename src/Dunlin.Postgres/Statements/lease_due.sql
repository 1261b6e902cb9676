-- Leases that have run out and whose end nobody has announced yet: those of nodes that are gone. $1 is now, $2 the most to read.
SELECT resource FROM dunlin_lease WHERE lease_id IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2
