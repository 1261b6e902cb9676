-- Inserts an event. A plain insert: an existing offset must fail and never be replaced.
INSERT INTO dunlin_journal (offset, topic, type, data, user_id, session_id, connection_id, device_id, time, extra)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
