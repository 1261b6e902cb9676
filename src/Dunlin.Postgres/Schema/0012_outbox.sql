-- Events of transactions that run outside the store: each waits here until a node moves it into the journal. Such a transaction inserts
-- topic, type and data, and the other columns as it needs them.
CREATE TABLE dunlin_outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL,
    user_id TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    connection_id TEXT COLLATE "C",
    device_id TEXT COLLATE "C",
    -- As in dunlin_journal.
    extra BYTEA
);

-- The order of the rows. Why no reader sees an event before one that it depends on:
--   1. A deferred trigger draws the number when the commit begins, after the last statement of the transaction.
--   2. Let B begin, or get a lock that A held, after A had committed. A drew its number before its commit, and B draws after it, so B's
--      number is larger.
--   3. PostgreSQL makes a commit visible before it releases the locks. A snapshot with B therefore has A, and a node that moves B moves A
--      before it.
--   4. A number drawn at the insert would be wrong: A may insert, wait for a lock of B, and commit last.
-- The trigger inserts a row and never updates one, because an update reads an index. In SERIALIZABLE transactions such reads would
-- conflict with each other.
CREATE TABLE dunlin_outbox_order (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BIGINT NOT NULL,
    -- Milliseconds since 1970-01-01 UTC.
    time BIGINT NOT NULL
);

-- Rows of the outbox that the journal does not accept, with the reason. Nothing deletes them: correct and insert them again, or delete
-- them.
CREATE TABLE dunlin_outbox_refused (
    id BIGINT NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL,
    user_id TEXT COLLATE "C",
    session_id TEXT COLLATE "C",
    connection_id TEXT COLLATE "C",
    device_id TEXT COLLATE "C",
    extra BYTEA,
    reason TEXT NOT NULL,
    -- Milliseconds since 1970-01-01 UTC.
    time BIGINT NOT NULL
);

-- The node that moves rows now: the time until which it looks by itself (milliseconds since 1970-01-01 UTC), times 1,000, plus the number
-- of the node. A sequence, because it is read and set without row versions and outside the transaction.
CREATE SEQUENCE dunlin_outbox_mover AS BIGINT MINVALUE 0 START 0;

-- All rows are short-lived. Clean up often, and never cut off the end of a table, which needs a lock that publishers would wait for.
ALTER TABLE dunlin_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = false);
ALTER TABLE dunlin_outbox_order SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = false);

-- Runs with the rights of the owner, because the publisher may have none on these tables. The path without the schema keeps out objects that
-- others create there. NOTIFY serialises the commits of the whole server, so it is used only while no node looks by itself.
DO $create$ BEGIN
    EXECUTE format($function$
        CREATE FUNCTION %1$I.dunlin_outbox_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            now_ms CONSTANT BIGINT := extract(epoch FROM clock_timestamp()) * 1000;
        BEGIN
            INSERT INTO %1$I.dunlin_outbox_order (id, time) VALUES (new.id, now_ms);
            IF coalesce(pg_sequence_last_value(%2$L::regclass), 0) / 1000 <= now_ms THEN
                PERFORM pg_notify('dunlin_outbox', '');
            END IF;
            RETURN NULL;
        END $$
    $function$, current_schema(), format('%I.dunlin_outbox_mover', current_schema()));
END $create$;

CREATE CONSTRAINT TRIGGER dunlin_outbox_commit AFTER INSERT ON dunlin_outbox
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dunlin_outbox_commit();
