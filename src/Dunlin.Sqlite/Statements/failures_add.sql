-- Inserts the first failed sign-in of a subject. Changes no row if one exists.
INSERT INTO dunlin_sign_in_failure (subject, failures, last_at, locked_until, has_account) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (subject) DO NOTHING
