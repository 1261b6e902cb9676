-- Reads the highest version that retention has deleted.
SELECT value FROM dunlin_counter WHERE name = 'records_forgotten_through'
