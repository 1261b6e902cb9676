-- Removes a consumer group.
DELETE FROM dunlin_consumer WHERE name = $1
