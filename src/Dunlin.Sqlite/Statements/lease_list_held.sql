-- Like lease_list, for held leases only. Their index does not contain the rows of ended leases, which stay for a day.
SELECT resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id,
    acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters
FROM dunlin_lease
WHERE resource >= ?1 AND resource < ?2
    AND (?3 = '' OR length(resource) = length(?3) OR substr(resource, length(?3) + 1, 1) = '/')
    AND lease_id IS NOT NULL
ORDER BY resource LIMIT ?4
