-- Reads which table references which.
SELECT child.name, reference."table" FROM sqlite_master child, pragma_foreign_key_list(child.name) reference WHERE child.type = 'table'
