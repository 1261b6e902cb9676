-- Stores the highest version to be removed, and then deletes records that were deleted, and access that was revoked, before ?1.
UPDATE dunlin_counter SET value = max(
    value,
    coalesce((SELECT max(version) FROM dunlin_record WHERE deleted_at < ?1), 0),
    coalesce((SELECT max(version) FROM dunlin_space_access WHERE revoked_at < ?1), 0))
WHERE name = 'records_forgotten_through';
DELETE FROM dunlin_space_access WHERE revoked_at < ?1;
DELETE FROM dunlin_record WHERE deleted_at < ?1
