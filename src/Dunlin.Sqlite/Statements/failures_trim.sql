-- Deletes all but the latest rows of subjects without account.
DELETE FROM dunlin_sign_in_failure WHERE subject IN (
    SELECT subject FROM dunlin_sign_in_failure WHERE has_account = 0 ORDER BY last_at DESC, subject LIMIT -1 OFFSET ?1)
