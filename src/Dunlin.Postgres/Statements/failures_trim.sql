-- Deletes all but the latest rows of subjects without account.
DELETE FROM dunlin_sign_in_failure WHERE subject IN (
    SELECT subject FROM dunlin_sign_in_failure WHERE NOT has_account ORDER BY last_at DESC, subject OFFSET $1)
