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

-- The queries of the nodes. They are functions because of enable_seqscan: the tables are small when the plan is made, and may be large when
-- it is used. Gaps are a JSON array of arrays of first and last number.

-- Looks for committed rows after the number "highest" or in the gaps, for a node. If another node moves rows now, it does not look; for
-- the node -1 it always looks.
-- Returns whether another node moves rows, the number of rows up to 10,000, the age of the oldest in ms, the oldest running and the next
-- transaction of the snapshot, and the last number drawn.
CREATE FUNCTION dunlin_outbox_look(highest BIGINT, gaps TEXT, node BIGINT)
RETURNS TABLE (is_other BOOLEAN, waiting BIGINT, age BIGINT, oldest BIGINT, next BIGINT, drawn BIGINT)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH state AS MATERIALIZED (
        SELECT now_ms, snapshot, node >= 0 AND mover % 1000 <> node AND mover / 1000 > now_ms AS is_other
        FROM (
            SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT AS now_ms, pg_current_snapshot() AS snapshot,
                coalesce(pg_sequence_last_value('dunlin_outbox_mover'::regclass), 0) AS mover
        ) AS found
    ), waiting AS MATERIALIZED (
        (SELECT time FROM dunlin_outbox_order WHERE NOT (SELECT is_other FROM state) AND number > highest ORDER BY number LIMIT 10000)
        UNION ALL
        (SELECT found.time FROM json_array_elements(gaps::json) AS gap CROSS JOIN LATERAL (
            SELECT time FROM dunlin_outbox_order
            WHERE NOT (SELECT is_other FROM state) AND number BETWEEN (gap ->> 0)::BIGINT AND (gap ->> 1)::BIGINT ORDER BY number LIMIT 10000
        ) AS found)
    )
    SELECT state.is_other, (SELECT count(*) FROM waiting), greatest(now_ms - (SELECT min(time) FROM waiting), 0),
        pg_snapshot_xmin(snapshot)::TEXT::BIGINT, pg_snapshot_xmax(snapshot)::TEXT::BIGINT,
        coalesce(pg_sequence_last_value('dunlin_outbox_order_number_seq'::regclass), 0)
    FROM state;
END $$;

-- Deletes and returns the first committed rows after the number "highest" or in the gaps: at most "most" rows, up to the one that reaches
-- "size" bytes. In any order. The lock of the writers is held, so no other node takes them.
CREATE FUNCTION dunlin_outbox_take(highest BIGINT, gaps TEXT, most BIGINT, size BIGINT)
RETURNS TABLE (number BIGINT, oldest BIGINT, next BIGINT, id BIGINT, topic TEXT, type TEXT, data BYTEA,
    user_id TEXT, session_id TEXT, connection_id TEXT, device_id TEXT, extra BYTEA)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH snapshot AS MATERIALIZED (
        SELECT pg_snapshot_xmin(present)::TEXT::BIGINT AS oldest, pg_snapshot_xmax(present)::TEXT::BIGINT AS next
        FROM pg_current_snapshot() AS present
    ), seen AS MATERIALIZED (
        (SELECT number, id FROM dunlin_outbox_order WHERE number > highest ORDER BY number LIMIT most)
        UNION ALL
        (SELECT found.number, found.id FROM json_array_elements(gaps::json) AS gap CROSS JOIN LATERAL (
            SELECT number, id FROM dunlin_outbox_order
            WHERE number BETWEEN (gap ->> 0)::BIGINT AND (gap ->> 1)::BIGINT ORDER BY number LIMIT most
        ) AS found)
    ), measured AS MATERIALIZED (
        SELECT number, id, coalesce((SELECT octet_length(data) FROM dunlin_outbox WHERE dunlin_outbox.id = earliest.id), 0) AS bytes
        FROM (SELECT number, id FROM seen ORDER BY number LIMIT most) AS earliest
    ), due AS MATERIALIZED (
        SELECT number, id FROM (
            SELECT number, id, sum(bytes) OVER (ORDER BY number) - bytes AS bytes_before FROM measured
        ) AS counted WHERE bytes_before < size
    ), removed_order AS (
        DELETE FROM dunlin_outbox_order WHERE number = ANY (ARRAY(SELECT number FROM due))
    ), removed AS (
        DELETE FROM dunlin_outbox WHERE id = ANY (ARRAY(SELECT id FROM due))
    )
    -- LIMIT 1 makes the planner look up each id. It takes "due" for a few rows, and could join each row with each other one.
    SELECT due.number, snapshot.oldest, snapshot.next, event.*
    FROM snapshot CROSS JOIN due CROSS JOIN LATERAL (
        SELECT id, topic, type, data, user_id, session_id, connection_id, device_id, extra FROM dunlin_outbox WHERE id = due.id LIMIT 1
    ) AS event;
END $$;
