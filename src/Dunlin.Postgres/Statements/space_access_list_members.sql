-- All who may read a space now.
SELECT space, user_id, version, revoked_at FROM dunlin_space_access WHERE space = $1 AND revoked_at IS NULL ORDER BY user_id
