-- Notifies the other nodes if and when this transaction commits. $2 is its last position (about 20 characters) or empty. The journal
-- contains the events.
SELECT pg_notify($1, $2)
