-- One node at a time brings this schema up to date; the others wait, and then find nothing left to do. Ends with the transaction.
SELECT pg_advisory_xact_lock(hashtext('dunlin schema'), hashtext(current_schema()))
