-- Reads the failed sign-ins of a subject.
SELECT failures, last_at, locked_until, has_account FROM dunlin_sign_in_failure WHERE subject = $1
