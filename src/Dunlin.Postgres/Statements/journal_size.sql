-- The size of the journal in bytes, with its indexes and long values. Reads the sizes of files, and no rows.
SELECT pg_total_relation_size('dunlin_journal')
