-- What SQLite needs otherwise.
ALTER TABLE note ADD COLUMN dialect TEXT NOT NULL DEFAULT 'sqlite';
