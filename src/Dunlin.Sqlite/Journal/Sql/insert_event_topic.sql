-- Inserts a further topic of an event. The same topic twice is one.
INSERT INTO dunlin_event_topic (topic, offset) VALUES (?1, ?2) ON CONFLICT DO NOTHING
