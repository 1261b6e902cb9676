-- The size of the database file in bytes. Reads two numbers of its header.
SELECT page_count * page_size FROM pragma_page_count, pragma_page_size
