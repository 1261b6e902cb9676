-- Reads all consumer groups, by name.
SELECT name, through, holder, token, until, failures, retry_at, fault FROM dunlin_consumer ORDER BY name
