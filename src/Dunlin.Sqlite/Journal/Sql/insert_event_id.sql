-- Inserts the id that another protocol gave to an event.
INSERT INTO dunlin_event_id (id, offset) VALUES (?1, ?2)
