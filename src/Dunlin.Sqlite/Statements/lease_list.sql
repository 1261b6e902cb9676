-- Reads lease rows by resource name. ?1 to ?2 is the range of the prefix, starting after the previous page. ?3 is the prefix itself: names
-- that merely start with it (users/10 for users/1) are excluded. ?4: limit.
SELECT resource, fence, lease_id, user_id, user_name, session_id, connection_id, device_id,
    acquired_at, expires_at, seconds, end_reason, ended_lease_id, ended_at, ending, waiters
FROM dunlin_lease
WHERE resource >= ?1 AND resource < ?2
    AND (?3 = '' OR length(resource) = length(?3) OR substr(resource, length(?3) + 1, 1) = '/')
ORDER BY resource LIMIT ?4
