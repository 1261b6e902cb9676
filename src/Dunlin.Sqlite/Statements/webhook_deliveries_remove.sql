-- Removes the deliveries of an endpoint.
DELETE FROM dunlin_webhook_delivery WHERE webhook = ?1
