-- Of the subjects that no account has, keeps the latest.
DELETE FROM dunlin_sign_in_failure WHERE subject IN (
    SELECT subject FROM dunlin_sign_in_failure WHERE has_account = 0 ORDER BY last_at DESC, subject LIMIT -1 OFFSET ?1)
