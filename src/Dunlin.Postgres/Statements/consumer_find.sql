-- Reads a consumer group.
SELECT name, through, holder, token, until, failures, retry_at, fault FROM dunlin_consumer WHERE name = $1
