-- Reads an account by the normalised form of its user name.
SELECT user_id, username, full_name, password_hash, roles, security_stamp, version FROM dunlin_account WHERE name_key = ?1
