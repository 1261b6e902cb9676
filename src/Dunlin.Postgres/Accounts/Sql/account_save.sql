-- Inserts an account or replaces the one with its id; fails where another account has the user name. Tells whether it
-- replaced one: a row version that has been locked by this very statement was there before.
INSERT INTO dunlin_account (user_id, name_key, username, full_name, password_hash, roles) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id) DO UPDATE SET name_key = excluded.name_key, username = excluded.username,
    full_name = excluded.full_name, password_hash = excluded.password_hash, roles = excluded.roles
RETURNING xmax <> 0
