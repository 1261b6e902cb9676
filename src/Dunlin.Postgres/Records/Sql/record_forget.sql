-- Removes records deleted long ago.
DELETE FROM dunlin_record WHERE deleted_at < $1
