-- What one user has added, in bytes: read at each addition.
CREATE INDEX documents_file_owner ON documents_file (owner_id, size);

-- The documents of a collection: counted at each import.
CREATE INDEX documents_document_collection ON documents_document (collection_id);
