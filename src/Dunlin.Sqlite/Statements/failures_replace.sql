-- Replaces the failed sign-ins of a subject if they still have the expected values. Changes one row on success.
UPDATE dunlin_sign_in_failure SET failures = ?2, last_at = ?3, locked_until = ?4, has_account = ?5
WHERE subject = ?1 AND failures = ?6 AND last_at = ?7 AND locked_until = ?8
