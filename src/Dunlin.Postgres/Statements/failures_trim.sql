-- Of the subjects that no account has, keeps the latest.
DELETE FROM dunlin_sign_in_failure WHERE subject IN (
    SELECT subject FROM dunlin_sign_in_failure WHERE NOT has_account ORDER BY last_at DESC, subject OFFSET $1)
