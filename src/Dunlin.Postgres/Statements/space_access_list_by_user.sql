-- Reads all access rows of a user, including revoked ones.
SELECT space, user_id, version, revoked_at FROM dunlin_space_access WHERE user_id = $1 ORDER BY space
