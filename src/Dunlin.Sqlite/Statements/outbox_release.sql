-- Does nothing: one process opens the database. The parameter is ignored.
SELECT ?1
