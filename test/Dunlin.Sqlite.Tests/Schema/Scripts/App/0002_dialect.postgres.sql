-- For another database; SQLite would refuse it.
ALTER TABLE note ADD COLUMN dialect VARCHAR DEFAULT nonsense();
