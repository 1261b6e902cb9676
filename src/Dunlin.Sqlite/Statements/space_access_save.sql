-- Inserts or replaces a user's access to a space.
INSERT INTO dunlin_space_access (space, user_id, version, revoked_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (user_id, space) DO UPDATE SET version = excluded.version, revoked_at = excluded.revoked_at
