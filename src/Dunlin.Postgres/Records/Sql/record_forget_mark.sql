-- Remembers the highest version that record_forget and space_access_forget are about to remove.
UPDATE dunlin_counter SET value = greatest(
    value,
    coalesce((SELECT max(version) FROM dunlin_record WHERE deleted_at < $1), 0),
    coalesce((SELECT max(version) FROM dunlin_space_access WHERE revoked_at < $1), 0))
WHERE name = 'records_forgotten_through'
