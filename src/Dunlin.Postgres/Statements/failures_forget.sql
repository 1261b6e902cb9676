-- Deletes failed sign-ins that are old and lock nothing any more.
DELETE FROM dunlin_sign_in_failure WHERE last_at < $1 AND locked_until < $1
