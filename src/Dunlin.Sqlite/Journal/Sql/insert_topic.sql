-- A topic that has its first event.
INSERT INTO dunlin_topic (name) VALUES (?1)
