-- Removes an endpoint of webhooks.
DELETE FROM dunlin_webhook WHERE id = $1
