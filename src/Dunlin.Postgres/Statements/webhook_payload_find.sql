-- Reads the body of a delivery.
SELECT payload FROM dunlin_webhook_delivery WHERE webhook = $1 AND position = $2
