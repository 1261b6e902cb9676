-- What is read together: whoever is a member of a collection sees all of it, and nobody else anything.
CREATE TABLE documents_collection (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL
);

-- Which users see which collection; administrators see all.
CREATE TABLE documents_member (
    collection_id   TEXT NOT NULL REFERENCES documents_collection (id),
    user_id         TEXT NOT NULL,
    PRIMARY KEY (collection_id, user_id)
);

-- One edited text with everything that belongs to it: its versions and its source.
CREATE TABLE documents_document (
    id              TEXT PRIMARY KEY,
    collection_id   TEXT NOT NULL REFERENCES documents_collection (id),
    title           TEXT NOT NULL,
    created_at      BIGINT NOT NULL
);

-- One file of a document: a version of its text (kind tei) or its source (kind pdf). The revision is the journal offset of
-- the last change of its content. A deleted file stays, so that its number is never given again.
CREATE TABLE documents_file (
    stable_id       TEXT PRIMARY KEY,
    document_id     TEXT NOT NULL REFERENCES documents_document (id),
    kind            TEXT NOT NULL,
    variant         TEXT NOT NULL,
    number          BIGINT NOT NULL,
    is_gold         BIGINT NOT NULL,
    label           TEXT NOT NULL,
    owner_id        TEXT NOT NULL,
    owner_name      TEXT NOT NULL,
    changed_by      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    revision        BIGINT NOT NULL,
    size            BIGINT NOT NULL,
    deleted_at      BIGINT,
    deleted_by      TEXT
);

-- A version number is given once to each document and variant, whoever asks at the same time.
CREATE UNIQUE INDEX documents_file_number ON documents_file (document_id, kind, variant, number);

-- At most one gold standard of each document and variant.
CREATE UNIQUE INDEX documents_file_gold ON documents_file (document_id, variant) WHERE is_gold = 1 AND deleted_at IS NULL;

-- The bytes of a file, as they came. Apart from the file, so that the list does not read them.
CREATE TABLE documents_content (
    stable_id       TEXT PRIMARY KEY REFERENCES documents_file (stable_id),
    content         BLOB NOT NULL
);

-- What the system remembers for itself: lock_key, maintenance.
CREATE TABLE documents_setting (
    name            TEXT PRIMARY KEY,
    value           TEXT NOT NULL
);
