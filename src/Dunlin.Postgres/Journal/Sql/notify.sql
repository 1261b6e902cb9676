-- Tells the other nodes when, and only when, this transaction commits. $2 is the position that it reached, of some twenty characters;
-- empty where there is none. The events are in the journal.
SELECT pg_notify($1, $2)
