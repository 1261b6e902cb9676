-- Inserts or replaces an endpoint of webhooks.
INSERT INTO dunlin_webhook (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body
