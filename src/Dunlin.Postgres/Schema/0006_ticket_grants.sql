-- The grants of the credential that requested the ticket, as JSON; null for none. A node of a version without this column omits it.
ALTER TABLE dunlin_ticket ADD COLUMN grants TEXT COLLATE "C";
