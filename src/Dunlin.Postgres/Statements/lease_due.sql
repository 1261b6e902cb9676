-- Reads expired leases whose end no node has announced: those of nodes that are gone. $1 is the current time, $2 the limit.
SELECT resource FROM dunlin_lease WHERE lease_id IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2
