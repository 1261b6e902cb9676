-- All spaces of one user, taken ones too.
SELECT space, user_id, version, revoked_at FROM dunlin_space_access WHERE user_id = ?1 ORDER BY space
