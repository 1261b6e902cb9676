-- Reads an account.
SELECT user_id, username, full_name, password_hash, roles, security_stamp, version FROM dunlin_account WHERE user_id = ?1
