-- The highest version that retention has removed.
SELECT value FROM dunlin_counter WHERE name = 'records_forgotten_through'
