-- Counts deliveries of one state.
SELECT COUNT(*) FROM dunlin_webhook_delivery WHERE webhook = ?1 AND state = ?2
