-- Replaces the state of a delivery.
UPDATE dunlin_webhook_delivery SET state = $3, at = $4, body = $5 WHERE webhook = $1 AND position = $2
