-- Removes the failed sign-ins of one subject.
DELETE FROM dunlin_sign_in_failure WHERE subject = $1
