-- Reads all endpoints of webhooks, by id.
SELECT body FROM dunlin_webhook ORDER BY id
