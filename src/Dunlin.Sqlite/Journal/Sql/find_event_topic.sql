-- Finds whether any event has further topics.
SELECT 1 FROM dunlin_event_topic LIMIT 1
