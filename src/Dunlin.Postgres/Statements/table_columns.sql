-- Reads the columns of a table and their types, in order.
SELECT column_name::TEXT, udt_name::TEXT FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position
