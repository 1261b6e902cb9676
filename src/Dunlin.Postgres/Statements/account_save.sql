-- Inserts an account, or replaces the one with its id if that has the expected version (-1: any). Returns no row if the version differs.
-- Fails if another account has the user name. Returns whether it replaced an account: a new account has version 1.
INSERT INTO dunlin_account (user_id, name_key, username, full_name, password_hash, roles, security_stamp) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (user_id) DO UPDATE SET name_key = excluded.name_key, username = excluded.username,
    full_name = excluded.full_name, password_hash = excluded.password_hash, roles = excluded.roles,
    security_stamp = excluded.security_stamp, version = dunlin_account.version + 1
WHERE $8 = -1 OR dunlin_account.version = $8
RETURNING version > 1
