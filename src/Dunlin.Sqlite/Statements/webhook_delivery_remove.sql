-- Removes a delivery.
DELETE FROM dunlin_webhook_delivery WHERE webhook = ?1 AND position = ?2
