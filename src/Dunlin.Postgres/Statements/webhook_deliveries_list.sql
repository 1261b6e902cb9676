-- Reads deliveries of one state after a position, in order.
SELECT webhook, position, state, at, body FROM dunlin_webhook_delivery
WHERE webhook = $1 AND state = $2 AND position > $3
ORDER BY position LIMIT $4
