-- What few events have: further topics, a restriction, an id of another protocol, another format than JSON, headers. JSON; null for all
-- other events, whose rows stay as they were.
ALTER TABLE dunlin_journal ADD COLUMN extra BYTEA;

-- The further topics of events. With the index by topic of the journal it orders the events of one topic.
CREATE TABLE dunlin_event_topic (
    topic BIGINT NOT NULL,
    "offset" BIGINT NOT NULL,
    PRIMARY KEY (topic, "offset")
);

-- Finds the rows of a deleted event.
CREATE INDEX dunlin_event_topic_by_offset ON dunlin_event_topic ("offset");

-- The ids that other protocols gave to events. An id may be used again.
CREATE TABLE dunlin_event_id (
    id TEXT COLLATE "C" NOT NULL,
    "offset" BIGINT NOT NULL,
    PRIMARY KEY (id, "offset")
);

-- Finds the rows of a deleted event.
CREATE INDEX dunlin_event_id_by_offset ON dunlin_event_id ("offset");

-- Retention deletes an event by its first topic. Readers of the further topics have missed it too.
CREATE FUNCTION dunlin_forget_extra() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dunlin_topic SET trimmed_through = greatest(trimmed_through, old."offset")
    WHERE id IN (SELECT topic FROM dunlin_event_topic WHERE "offset" = old."offset");
    DELETE FROM dunlin_event_topic WHERE "offset" = old."offset";
    DELETE FROM dunlin_event_id WHERE "offset" = old."offset";
    RETURN NULL;
END $$;

CREATE TRIGGER dunlin_journal_extra AFTER DELETE ON dunlin_journal
    FOR EACH ROW WHEN (old.extra IS NOT NULL) EXECUTE FUNCTION dunlin_forget_extra();

-- Transient events between nodes.
ALTER TABLE dunlin_transient ADD COLUMN extra BYTEA;
