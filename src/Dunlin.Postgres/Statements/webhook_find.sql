-- Reads an endpoint of webhooks.
SELECT body FROM dunlin_webhook WHERE id = $1
