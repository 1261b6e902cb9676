-- Ends the transaction, which it must not.
CREATE TABLE early (id INTEGER);
COMMIT;
