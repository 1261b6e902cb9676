-- How many records of a space live.
SELECT count(*) FROM dunlin_record WHERE space = $1 AND deleted_at IS NULL
