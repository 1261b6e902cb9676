-- Ends the savepoint of a unit of work that has succeeded. It fails if application code has ended the transaction; no later statement then
-- runs.
RELEASE SAVEPOINT dunlin_even
