-- What the credential allowed that a ticket was got with, as JSON; null for nothing. A node that does not know the column leaves it out.
ALTER TABLE dunlin_ticket ADD COLUMN grants TEXT COLLATE "C";
