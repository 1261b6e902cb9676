-- Inserts a delivery, or keeps the existing one.
INSERT INTO dunlin_webhook_delivery (webhook, position, state, at, body, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (webhook, position) DO NOTHING
