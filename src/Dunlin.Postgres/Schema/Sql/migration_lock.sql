-- Lets one node at a time migrate this schema. Other nodes wait, and then find it up to date. Released with the transaction.
SELECT pg_advisory_xact_lock(hashtext('dunlin schema'), hashtext(current_schema()))
