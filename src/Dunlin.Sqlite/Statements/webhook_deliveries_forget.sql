-- Removes deliveries that are dead since before a time.
DELETE FROM dunlin_webhook_delivery WHERE state = 1 AND at < ?1
