-- Returns 1: one process opens the database, so it always moves rows. The parameters are ignored.
SELECT ?1 IS NOT NULL OR ?2 IS NOT NULL
