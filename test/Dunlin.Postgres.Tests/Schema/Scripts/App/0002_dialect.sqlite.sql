-- For another database; PostgreSQL would refuse it.
ALTER TABLE note ADD COLUMN dialect TEXT DEFAULT nonsense();
