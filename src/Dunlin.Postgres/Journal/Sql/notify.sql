-- Wakes the other nodes when, and only when, this transaction commits. Empty: what there is to know is in the journal.
SELECT pg_notify($1, '')
