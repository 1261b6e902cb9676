-- Inserts a topic with its first event.
INSERT INTO dunlin_topic (name) VALUES (?1)
