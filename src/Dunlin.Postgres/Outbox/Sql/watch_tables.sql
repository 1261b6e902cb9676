-- Watches of tables: watch(), unwatch(), snapshot() and the view watches.

-- Returns the role that calls a function which runs with the rights of its owner.
CREATE OR REPLACE FUNCTION @functions@.calling_role() RETURNS NAME
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE coalesce(current_setting('role', true), 'none') WHEN 'none' THEN session_user ELSE current_setting('role')::NAME END
$$;

-- Raises an error unless the table can be watched by the calling role.
CREATE OR REPLACE FUNCTION @functions@.check_source(source REGCLASS) RETURNS VOID
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation pg_class;
    wrong_key TEXT;
    reason TEXT;
    remedy TEXT;
BEGIN
    SELECT * INTO relation FROM pg_class WHERE oid = source;
    IF relation.oid IS NULL THEN
        RAISE EXCEPTION 'There is no such table.' USING ERRCODE = '42P01', DETAIL = 'invalid_field', HINT = 'Name a table that exists.';
    END IF;
    IF NOT pg_has_role(@functions@.calling_role(), relation.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'The role % does not own the table %.', quote_ident(@functions@.calling_role()), source USING ERRCODE = '42501',
            DETAIL = 'forbidden', HINT = 'Call the function as the owner of the table.';
    END IF;
    IF NOT pg_has_role(current_user, relation.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'The owner of the functions, %, has not the rights of the owner of the table %.', quote_ident(current_user), source
            USING ERRCODE = '42501', DETAIL = 'forbidden',
            HINT = format('GRANT %s TO %I;', relation.relowner::regrole, current_user);
    END IF;
    SELECT string_agg(name, ', ') INTO wrong_key
    FROM unnest(@functions@.key_columns(source)) AS name JOIN pg_attribute ON attrelid = source AND attname = name
        JOIN pg_type ON pg_type.oid = @functions@.base_type(atttypid)
    WHERE typnamespace <> 'pg_catalog'::regnamespace AND typtype <> 'e';
    SELECT found.reason, found.remedy INTO reason, remedy FROM (VALUES
        (relation.relkind NOT IN ('r', 'p'), 'is no table', 'Watch the tables below the view.'),
        (relation.relpersistence = 't', 'is a temporary table', 'Watch a permanent table.'),
        (relation.relispartition, 'is a partition', 'Watch the partitioned table.'),
        (relation.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE source IN (inhrelid, inhparent)), 'inherits or is inherited',
            'Use a partitioned table, or watch a table without inheritance.'),
        (relation.relnamespace IN (@functions_text@::regnamespace, @store_text@::regnamespace) AND starts_with(relation.relname, 'dunlin_')
            OR relation.relnamespace IN (@functions_text@::regnamespace, 'pg_catalog'::regnamespace),
            'belongs to Dunlin or to PostgreSQL', 'Watch a table of your application.'),
        (relation.relforcerowsecurity, 'forces row level security', 'ALTER TABLE ... NO FORCE ROW LEVEL SECURITY.'),
        (@functions@.key_columns(source) IS NULL, 'has no primary key', 'Add a primary key.'),
        (wrong_key IS NOT NULL, 'has a primary key with a type of an extension: ' || wrong_key,
            'Use a primary key of a type of PostgreSQL.')
    ) AS found (is_true, reason, remedy) WHERE is_true LIMIT 1;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION 'The table % cannot be watched: it %.', source, reason USING ERRCODE = '0A000', DETAIL = 'invalid_field',
            HINT = remedy;
    END IF;
END $$;

-- Raises an error unless the arguments of a watch are valid and the role may publish on its topics.
CREATE OR REPLACE FUNCTION @functions@.check_watch(watched @functions@.watch) RETURNS VOID
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- A topic of the watch, and the pattern of all its topics.
    example CONSTANT TEXT := regexp_replace(watched.topic, '\{[^{}]+\}', 'x', 'g');
    all_topics CONSTANT TEXT := regexp_replace(regexp_replace(watched.topic, '\{[^{}]+\}', '{}', 'g'), '[^/]*\{\}[^/]*', '*', 'g');
    unknown TEXT;
BEGIN
    IF watched.data IS NULL OR watched.data NOT IN ('new', 'old_and_new', 'keys') THEN
        RAISE EXCEPTION 'The data % is not valid.', coalesce(quote_literal(watched.data), 'null') USING ERRCODE = '22023',
            DETAIL = 'invalid_field', HINT = 'Data is new, old_and_new or keys.';
    END IF;
    IF watched.topic ~ '^[^/]*\{' THEN
        RAISE EXCEPTION 'The topic % begins with a column.', quote_literal(watched.topic) USING ERRCODE = '22023', DETAIL = 'invalid_topic',
            HINT = 'Begin the topic with a fixed segment, as in orders/{id}.';
    END IF;
    PERFORM @functions@.check_event(example, watched.type || '.inserted', 0, @functions@.calling_role());
    IF EXISTS (SELECT FROM @functions@.publisher) AND NOT EXISTS (
        SELECT FROM @functions@.publisher AS allowed JOIN pg_roles AS known_role ON known_role.rolname = allowed.role
        WHERE pg_has_role(@functions@.calling_role(), known_role.oid, 'MEMBER') AND @functions@.topic_matches(all_topics, allowed.pattern)
    ) THEN
        RAISE EXCEPTION 'The role % may not publish to all of %.', quote_ident(@functions@.calling_role()), quote_literal(all_topics)
            USING ERRCODE = '42501', DETAIL = 'forbidden',
            HINT = format('Ask the owner to insert the role and the pattern into %I.publisher.', @functions_text@);
    END IF;
    SELECT string_agg(quote_ident(name), ', ') INTO unknown
    FROM unnest(watched.columns || @functions@.topic_columns(watched.topic)) AS name
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = watched.source AND attname = name AND attnum > 0 AND NOT attisdropped);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'The table % has no column %.', watched.source, unknown USING ERRCODE = '42703', DETAIL = 'invalid_field',
            HINT = 'Name columns of the table, in the case that the table has.';
    END IF;
END $$;

-- Returns whether the table or a partition misses a trigger of a watch, and creates those triggers if is_applied.
CREATE OR REPLACE FUNCTION @functions@.watch_attach(watched @functions@.watch, is_applied BOOLEAN) RETURNS BOOLEAN
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted RECORD;
    has_changed BOOLEAN := false;
BEGIN
    FOR wanted IN
        SELECT part.relid, kind.operation, kind.timing, kind.tables, format('%I.%I', @functions_text@,
            format('watch_%s_%s', watched.id, kind.operation)) AS function
        FROM (VALUES ('insert', 'AFTER', 'REFERENCING NEW TABLE AS new_rows'), ('delete', 'AFTER', 'REFERENCING OLD TABLE AS old_rows'),
                ('update', 'AFTER', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'), ('truncate', 'BEFORE', '')
            ) AS kind (operation, timing, tables),
            (SELECT watched.source AS relid, relkind = 'r' AS is_leaf FROM pg_class WHERE oid = watched.source
                UNION SELECT relid, isleaf FROM pg_partition_tree(watched.source)) AS part
        -- TRUNCATE fires the triggers of each partition.
        WHERE part.is_leaf OR kind.operation <> 'truncate'
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = wanted.relid AND tgfoid = to_regproc(wanted.function));
        has_changed := true;
        CONTINUE WHEN NOT is_applied;
        EXECUTE format('CREATE TRIGGER %I %s %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION %s()',
            format('%s_watch_%s', left(@functions_text@, 30), wanted.operation), wanted.timing, wanted.operation, wanted.relid,
            wanted.tables, wanted.function);
    END LOOP;
    RETURN has_changed;
END $$;

-- Drops the triggers and functions of a watch.
CREATE OR REPLACE FUNCTION @functions@.watch_drop(id BIGINT) RETURNS VOID
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found RECORD;
BEGIN
    FOR found IN
        SELECT tgname, tgrelid::regclass AS source FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE pronamespace = @functions_text@::regnamespace AND proname ~ format('^watch_%s_[a-z]+$', id) AND tgparentid = 0
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.source);
    END LOOP;
    FOR found IN
        SELECT pg_proc.oid::regprocedure AS signature FROM pg_proc
        WHERE pronamespace = @functions_text@::regnamespace AND proname ~ format('^watch_%s_[a-z]+$', id)
    LOOP
        EXECUTE format('DROP FUNCTION %s', found.signature);
    END LOOP;
    DELETE FROM @functions@.watch WHERE watch.id = watch_drop.id;
END $$;

-- Publishes the changes of a table's rows, from this transaction on. Calling it again changes the watch; with the same arguments it does
-- nothing, apart from triggers for new partitions.
--   source    the table
--   topic     the topic of a row: columns in braces, as in orders/{id}
--   columns   the columns in the events, beside the primary key; null is all. An update that changes none of them publishes nothing
--   data      new, old_and_new, or keys
--   type      the types are type.inserted, type.updated, type.deleted, and type.read for rows of a snapshot
--   snapshot  also publishes all rows, if the watch is new or has changed
-- Returns whether the watch is new or has changed. It then waits for transactions that have changed the table, and later ones wait for it.
CREATE OR REPLACE FUNCTION @functions@.watch(source REGCLASS, topic TEXT, columns TEXT[] DEFAULT NULL, data TEXT DEFAULT 'new',
    type TEXT DEFAULT 'row', snapshot BOOLEAN DEFAULT false) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
    SET intervalstyle = 'iso_8601' SET bytea_output = 'hex' SET extra_float_digits = 1 SET row_security = off
AS $$
DECLARE
    known @functions@.watch;
    wanted @functions@.watch;
    gone BIGINT;
BEGIN
    PERFORM @functions@.check_source(source);
    wanted.source := watch.source;
    wanted.topic := watch.topic;
    wanted.columns := watch.columns;
    wanted.data := watch.data;
    wanted.type := watch.type;
    PERFORM @functions@.check_watch(wanted);
    FOR gone IN SELECT id FROM @functions@.watch AS old WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = old.source) LOOP
        PERFORM @functions@.watch_drop(gone);
    END LOOP;
    SELECT * INTO known FROM @functions@.watch AS old WHERE old.source = watch.source;
    wanted.id := known.id;
    IF known = wanted AND NOT @functions@.watch_define(wanted, false) AND NOT @functions@.watch_attach(wanted, false) THEN
        RETURN false;
    END IF;
    IF snapshot AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'A watch with a snapshot needs READ COMMITTED.' USING ERRCODE = '0A000', DETAIL = 'invalid_field',
            HINT = 'Call it in a transaction with the isolation level READ COMMITTED.';
    END IF;
    -- No change of a row may have the old watch and commit after the new one, or have none and miss the snapshot.
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', source);
    INSERT INTO @functions@.watch AS old (source, topic, columns, data, type)
    VALUES (wanted.source, wanted.topic, wanted.columns, wanted.data, wanted.type)
    ON CONFLICT ON CONSTRAINT watch_source_key
        DO UPDATE SET topic = excluded.topic, columns = excluded.columns, data = excluded.data, type = excluded.type
    RETURNING old.id INTO wanted.id;
    PERFORM @functions@.watch_define(wanted, true);
    PERFORM @functions@.watch_attach(wanted, true);
    IF snapshot THEN
        EXECUTE format('WITH part AS (SELECT * FROM %s) ', source) || @functions@.watch_statement(wanted, 'snapshot');
    END IF;
    RETURN true;
END $$;

-- Ends the watch of a table. Returns whether there was one.
CREATE OR REPLACE FUNCTION @functions@.unwatch(source REGCLASS) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known BIGINT;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class WHERE oid = source AND pg_has_role(@functions@.calling_role(), relowner, 'USAGE')) THEN
        RAISE EXCEPTION 'The role % does not own the table %.', quote_ident(@functions@.calling_role()), source USING ERRCODE = '42501',
            DETAIL = 'forbidden', HINT = 'Call the function as the owner of the table.';
    END IF;
    SELECT id INTO known FROM @functions@.watch AS old WHERE old.source = unwatch.source;
    IF known IS NOT NULL THEN
        PERFORM @functions@.watch_drop(known);
    END IF;
    RETURN known IS NOT NULL;
END $$;

-- Publishes the next rows of a watched table for snapshot(), and locks them until the commit.
--   after  the last key of the part before; null for the first part
--   single in place of a part, the row with this key
-- Returns the last key of this part, null if it was the last part, and the keys of rows that other transactions have locked.
CREATE OR REPLACE FUNCTION @functions@.snapshot_part(source REGCLASS, after JSONB, single JSONB, batch INTEGER,
    OUT last JSONB, OUT locked JSONB)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
    SET intervalstyle = 'iso_8601' SET bytea_output = 'hex' SET extra_float_digits = 1 SET row_security = off
AS $$
DECLARE
    watched @functions@.watch;
    keys CONSTANT TEXT[] := @functions@.key_columns(source);
    columns TEXT;
    texts TEXT;
    selected TEXT;
    passed TEXT;
BEGIN
    PERFORM @functions@.check_source(source);
    SELECT * INTO watched FROM @functions@.watch AS old WHERE old.source = snapshot_part.source;
    IF watched.id IS NULL THEN
        RAISE EXCEPTION 'The table % is not watched.', source USING ERRCODE = '22023', DETAIL = 'invalid_field',
            HINT = 'Watch the table before you publish a snapshot.';
    END IF;
    IF batch IS NULL OR batch NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'The batch % is not valid.', coalesce(batch::TEXT, 'null') USING ERRCODE = '22023', DETAIL = 'invalid_field',
            HINT = 'A batch has 1 to 100000 rows.';
    END IF;
    SELECT string_agg(quote_ident(name), ', '), string_agg(format('format(''%%s'', %I)', name), ', ') INTO columns, texts
    FROM unnest(keys) AS name;
    SELECT string_agg(format('(%%1$s ->> %s)::%s', place - 1, format_type(atttypid, atttypmod)), ', ' ORDER BY place) INTO passed
    FROM unnest(keys) WITH ORDINALITY AS part (name, place) JOIN pg_attribute ON attrelid = source AND attname = name;
    selected := CASE WHEN single IS NOT NULL THEN format('ROW(%s) = ROW(%s)', columns, format(passed, '$3'))
        WHEN after IS NULL THEN 'true' ELSE format('ROW(%s) > ROW(%s)', columns, format(passed, '$1')) END;
    IF single IS NULL THEN
        -- The end is fixed before the rows are locked: a row may get another key meanwhile.
        EXECUTE format('SELECT jsonb_build_array(%s) FROM %s WHERE %s ORDER BY %s OFFSET %s LIMIT 1', texts, source, selected, columns,
            batch - 1)
        INTO last USING after, last, single;
        IF last IS NOT NULL THEN
            selected := selected || format(' AND ROW(%s) <= ROW(%s)', columns, format(passed, '$2'));
        END IF;
    END IF;
    -- To wait while other rows are locked could be a deadlock.
    EXECUTE format('WITH part AS MATERIALIZED (SELECT * FROM %1$s WHERE %2$s FOR SHARE %3$s), published AS (%4$s) '
        'SELECT coalesce(jsonb_agg(jsonb_build_array(%5$s)), ''[]'') FROM %1$s WHERE %2$s AND ROW(%6$s) NOT IN (SELECT %6$s FROM part)',
        source, selected, CASE WHEN single IS NULL THEN 'SKIP LOCKED' ELSE '' END, @functions@.watch_statement(watched, 'snapshot'), texts,
        columns)
    INTO locked USING after, last, single;
END $$;

-- Publishes all rows of a watched table as type.read, in parts, and commits after each. Call it outside a transaction. A reader from a
-- position before the call has the present rows after it: a row is locked while it is published, so no change overtakes it.
CREATE OR REPLACE PROCEDURE @functions@.snapshot(source REGCLASS, batch INTEGER DEFAULT 1000)
LANGUAGE plpgsql
AS $$
DECLARE
    after JSONB;
    part RECORD;
    row_key JSONB;
BEGIN
    LOOP
        SELECT * INTO part FROM @functions@.snapshot_part(source, after, NULL, batch);
        COMMIT;
        FOR row_key IN SELECT * FROM pg_catalog.jsonb_array_elements(part.locked) LOOP
            PERFORM @functions@.snapshot_part(source, NULL, row_key, batch);
            COMMIT;
        END LOOP;
        EXIT WHEN part.last IS NULL;
        after := part.last;
    END LOOP;
END $$;

-- The watches, with the partitions that were created after watch(): direct writes to them are not published before you call it again.
CREATE OR REPLACE VIEW @functions@.watches AS
SELECT source, topic, columns, data, type, ARRAY(
    SELECT part.relid FROM pg_catalog.pg_partition_tree(source) AS part
    WHERE part.isleaf AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_proc ON pg_proc.oid = tgfoid
        WHERE tgrelid = part.relid AND pronamespace = @functions_quoted@::regnamespace
            AND proname = pg_catalog.format('watch_%s_insert', watch.id))
) AS missing_partitions
FROM @functions@.watch WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = source);

REVOKE ALL ON FUNCTION @functions@.topic_part, @functions@.topic_checked, @functions@.base_type, @functions@.json_value,
    @functions@.key_columns, @functions@.topic_columns, @functions@.watch_topic, @functions@.watch_values, @functions@.watch_statement,
    @functions@.watch_define, @functions@.calling_role, @functions@.check_source, @functions@.check_watch, @functions@.watch_attach,
    @functions@.watch_drop, @functions@.watch, @functions@.unwatch,
    @functions@.snapshot_part FROM PUBLIC;
REVOKE ALL ON PROCEDURE @functions@.snapshot FROM PUBLIC;

-- Updates the watches of an earlier version.
DO $install$
DECLARE
    known @functions@.watch;
BEGIN
    -- The usual compression would take longer than all the rest of a batch. Changed once, because it waits for open publishers.
    IF EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = format('%I.dunlin_outbox', @store_text@)::regclass AND attname = 'data'
            AND attstorage = 'x'
            AND coalesce(to_jsonb(pg_attribute) ->> 'attcompression', '') = ''
    ) THEN
        BEGIN
            EXECUTE format('ALTER TABLE %I.dunlin_outbox ALTER COLUMN data SET COMPRESSION lz4', @store_text@);
        EXCEPTION WHEN OTHERS THEN
            EXECUTE format('ALTER TABLE %I.dunlin_outbox ALTER COLUMN data SET STORAGE EXTERNAL', @store_text@);
        END;
    END IF;
    FOR known IN SELECT * FROM @functions@.watch LOOP
        BEGIN
            IF EXISTS (SELECT FROM pg_class WHERE oid = known.source) THEN
                PERFORM @functions@.watch_define(known, true);
                PERFORM @functions@.watch_attach(known, true);
            ELSE
                PERFORM @functions@.watch_drop(known.id);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'The watch of % was not updated: %. Call watch() again.', known.source, SQLERRM;
        END;
    END LOOP;
END $install$;
