-- Deletes records that were deleted, and access that was revoked, before $1, and stores the highest version removed. All parts see the rows
-- as they were before.
WITH mark AS (
    UPDATE dunlin_counter SET value = greatest(
        value,
        coalesce((SELECT max(version) FROM dunlin_record WHERE deleted_at < $1), 0),
        coalesce((SELECT max(version) FROM dunlin_space_access WHERE revoked_at < $1), 0))
    WHERE name = 'records_forgotten_through'
), access AS (
    DELETE FROM dunlin_space_access WHERE revoked_at < $1
)
DELETE FROM dunlin_record WHERE deleted_at < $1
