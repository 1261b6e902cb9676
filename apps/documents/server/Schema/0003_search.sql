-- What is searched: the texts, folded by the application (Dunlin.Apps.Text.FoldedText), so that both databases find alike. revision is the
-- revision of the file that the text was folded from; where it is not the file's, it is folded again at the next start.
CREATE TABLE documents_text (
    stable_id       TEXT PRIMARY KEY REFERENCES documents_file (stable_id),
    revision        BIGINT NOT NULL,
    folded          TEXT NOT NULL
);
