-- Reads the users who currently may read a space.
SELECT space, user_id, version, revoked_at FROM dunlin_space_access WHERE space = ?1 AND revoked_at IS NULL ORDER BY user_id
