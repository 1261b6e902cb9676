-- Reads which table references which.
SELECT conrelid::regclass::TEXT, confrelid::regclass::TEXT FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
