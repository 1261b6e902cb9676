-- Deletes the failed sign-ins of a subject.
DELETE FROM dunlin_sign_in_failure WHERE subject = $1
