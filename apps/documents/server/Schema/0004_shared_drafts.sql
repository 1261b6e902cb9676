-- A text that several users edit together, one for each file at most. The text itself is a durable stream. A file with a shared draft has
-- no lock and no queue: the transaction that inserts the row ends both, and no lock is granted while the row is there.
CREATE TABLE documents_shared_draft (
    stable_id       TEXT PRIMARY KEY REFERENCES documents_file (stable_id),
    id              TEXT NOT NULL,
    line_break      TEXT NOT NULL,
    started_by      TEXT NOT NULL,
    started_at      BIGINT NOT NULL
);
