-- Reads a user's access to a space.
SELECT space, user_id, version, revoked_at FROM dunlin_space_access WHERE user_id = $1 AND space = $2
