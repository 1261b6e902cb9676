-- Replaces the offset through which the journal was scanned for subscriptions.
INSERT INTO dunlin_stream_scan (id, through) VALUES (1, $1)
ON CONFLICT (id) DO UPDATE SET through = excluded.through
