-- Counts the records of a space that are not deleted.
SELECT count(*) FROM dunlin_record WHERE space = $1 AND deleted_at IS NULL
