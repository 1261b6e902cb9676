-- Reads all accounts, ordered by user name.
SELECT user_id, username, full_name, password_hash, roles, security_stamp, version FROM dunlin_account ORDER BY name_key
