-- Reads the offset through which the journal was scanned for subscriptions.
SELECT through FROM dunlin_stream_scan WHERE id = 1
