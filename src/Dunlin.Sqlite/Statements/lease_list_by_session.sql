-- Like lease_list, for leases that the session ?6 holds or waits for, found through the two partial indexes.
SELECT resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id,
    acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters
FROM dunlin_lease
WHERE resource IN (
        SELECT resource FROM dunlin_lease WHERE session_id = ?6
        UNION SELECT resource FROM dunlin_lease WHERE waiters IS NOT NULL
            AND EXISTS (SELECT 1 FROM json_each(waiters) WHERE json_extract(value, '$.owner.sessionId') = ?6))
    AND resource >= ?1 AND resource < ?2
    AND (?3 = '' OR length(resource) = length(?3) OR substr(resource, length(?3) + 1, 1) = '/')
    AND (NOT ?4 OR lease_id IS NOT NULL)
ORDER BY resource LIMIT ?5
