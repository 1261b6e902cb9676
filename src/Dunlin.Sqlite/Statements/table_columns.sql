-- Reads the columns of a table and their types, in order.
SELECT name, type FROM pragma_table_info(?1) ORDER BY cid
