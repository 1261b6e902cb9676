-- What PostgreSQL needs otherwise.
ALTER TABLE note ADD COLUMN dialect VARCHAR NOT NULL DEFAULT 'postgres';
