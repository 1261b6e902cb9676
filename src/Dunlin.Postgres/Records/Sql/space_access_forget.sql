-- Removes access taken long ago.
DELETE FROM dunlin_space_access WHERE revoked_at < $1
