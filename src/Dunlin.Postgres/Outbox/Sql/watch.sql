-- Watches: statement triggers that publish the changes of rows, in the transaction that makes them.
--   state of a watch: none -> watch() -> watched -> watch() with other arguments -> watched -> unwatch(), or the table is dropped -> none
-- Invariants:
--   1. Each statement that changes rows fires its trigger later in the same transaction. The trigger publishes the present row of each
--      changed key, so the last event of a key in a transaction has the state that the transaction commits.
--   2. The functions evaluate no code of users with the rights of their owner: only operators and output functions of PostgreSQL.
CREATE TABLE IF NOT EXISTS @functions@.watch (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source REGCLASS NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    -- Null: all columns.
    columns TEXT[],
    data TEXT NOT NULL,
    type TEXT NOT NULL
);

-- Returns a value as a part of a topic, percent-encoded as the engine does it.
CREATE OR REPLACE FUNCTION @functions@.topic_part(value TEXT) RETURNS TEXT
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    allowed CONSTANT TEXT := 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@|+=!$';
BEGIN
    IF coalesce(value, '') = '' THEN
        RAISE EXCEPTION 'A column of the topic is null or empty.' USING ERRCODE = '22023', DETAIL = 'invalid_topic',
            HINT = 'Watch the table with a topic of columns that are never null or empty, such as the primary key.';
    END IF;
    IF translate(value, allowed, '') = '' THEN
        RETURN value;
    END IF;
    RETURN (
        SELECT string_agg(CASE WHEN strpos(allowed, letter) > 0 THEN letter
            ELSE upper(regexp_replace(encode(convert_to(letter, 'UTF8'), 'hex'), '(..)', '%\1', 'g')) END, '' ORDER BY place)
        FROM regexp_split_to_table(value, '') WITH ORDINALITY AS letters (letter, place)
    );
END $$;

-- Returns a topic, or raises an error if it is too long.
CREATE OR REPLACE FUNCTION @functions@.topic_checked(topic TEXT) RETURNS TEXT
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF length(topic) <= 200 THEN
        RETURN topic;
    END IF;
    RAISE EXCEPTION 'The topic % has more than 200 characters.', quote_literal(left(topic, 200)) USING ERRCODE = '22023',
        DETAIL = 'invalid_topic', HINT = 'Watch the table with a topic of shorter columns, such as the primary key.';
END $$;

-- Returns the base type of a type: the type below domains.
CREATE OR REPLACE FUNCTION @functions@.base_type(type OID) RETURNS OID
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH RECURSIVE bases AS (
        SELECT oid, typtype, typbasetype FROM pg_type WHERE oid = base_type.type
        UNION ALL
        SELECT below.oid, below.typtype, below.typbasetype
        FROM bases JOIN pg_type AS below ON below.oid = bases.typbasetype AND bases.typtype = 'd'
    )
    SELECT oid FROM bases WHERE typtype <> 'd'
$$;

-- Returns an expression for a value as JSON has it. Types of users become text by their output function: to_json() would call their casts.
CREATE OR REPLACE FUNCTION @functions@.json_value(name TEXT, type OID) RETURNS TEXT
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    base pg_type;
    item pg_type;
BEGIN
    SELECT * INTO base FROM pg_type WHERE oid = @functions@.base_type(type);
    SELECT * INTO item FROM pg_type WHERE oid = @functions@.base_type(base.typelem) AND base.typcategory = 'A';
    RETURN CASE
        WHEN coalesce(item.typnamespace, base.typnamespace) = 'pg_catalog'::regnamespace THEN name
        WHEN item.oid IS NOT NULL THEN format('CASE num_nulls(%1$s) WHEN 0 THEN format(''%%s'', %1$s)::text[] END', name)
        ELSE format('CASE num_nulls(%1$s) WHEN 0 THEN format(''%%s'', %1$s) END', name)
    END;
END $$;

-- Returns the columns of the primary key in their order.
CREATE OR REPLACE FUNCTION @functions@.key_columns(source REGCLASS) RETURNS TEXT[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(attname::TEXT ORDER BY place)
    FROM pg_constraint, unnest(conkey) WITH ORDINALITY AS part (number, place), pg_attribute
    WHERE conrelid = source AND contype = 'p' AND attrelid = source AND attnum = part.number
$$;

-- Returns the columns in the topic.
CREATE OR REPLACE FUNCTION @functions@.topic_columns(topic TEXT) RETURNS TEXT[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT matched[1] FROM regexp_matches(topic, '\{([^{}]+)\}', 'g') AS matched)
$$;

-- Returns an expression for the topic of a row.
--   side  the alias of the row
CREATE OR REPLACE FUNCTION @functions@.watch_topic(watched @functions@.watch, side TEXT) RETURNS TEXT
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    functions CONSTANT TEXT := quote_ident(@functions_text@);
    keys CONSTANT TEXT[] := @functions@.key_columns(watched.source);
    -- The types below have at most 36 characters, all of which a topic may have.
    is_bounded BOOLEAN := length(watched.topic) + 36 * cardinality(@functions@.topic_columns(watched.topic)) <= 200;
    topic TEXT := '';
    piece RECORD;
BEGIN
    FOR piece IN
        SELECT matched[1] AS literal, matched[2] AS name FROM regexp_matches(watched.topic, '([^{}]*)(?:\{([^{}]+)\})?', 'g') AS matched
    LOOP
        IF piece.literal <> '' THEN
            topic := topic || format(' || %L', piece.literal);
        END IF;
        CONTINUE WHEN piece.name IS NULL;
        IF piece.name = ANY (keys) AND EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = watched.source AND attname = piece.name
                AND atttypid = ANY ('{int2,int4,int8,uuid}'::REGTYPE[])
        ) THEN
            topic := topic || format(' || %s.%I::text', side, piece.name);
        ELSE
            is_bounded := false;
            topic := topic || format(' || %s.topic_part(CASE num_nulls(%2$s.%3$I) WHEN 0 THEN format(''%%s'', %2$s.%3$I) END)', functions,
                side, piece.name);
        END IF;
    END LOOP;
    topic := substr(topic, 5);
    RETURN CASE WHEN is_bounded THEN topic ELSE format('%s.topic_checked(%s)', functions, topic) END;
END $$;

-- Returns a list of the values of a row, as JSON has them.
CREATE OR REPLACE FUNCTION @functions@.watch_values(watched @functions@.watch, side TEXT) RETURNS TEXT
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(@functions@.json_value(format('%s.%I', side, attname), atttypid) || ' AS ' || quote_ident(attname), ', '
        ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = watched.source AND attnum > 0 AND NOT attisdropped
        AND (watched.columns IS NULL OR attname = ANY (@functions@.key_columns(watched.source) || watched.columns))
$$;

-- Returns the statement that publishes what an operation did: insert, update, delete, truncate, or snapshot, which reads the rows "part".
-- In the result, @source@ stands for the table. o has the rows that were changed, "is old" tells rows of before from new ones, and c is the
-- present row of the same key. A row that is as before is left out.
CREATE OR REPLACE FUNCTION @functions@.watch_statement(watched @functions@.watch, operation TEXT) RETURNS TEXT
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    keys CONSTANT TEXT[] := @functions@.key_columns(watched.source);
    is_change CONSTANT BOOLEAN := operation IN ('insert', 'update', 'delete');
    has_old_data CONSTANT BOOLEAN := operation IN ('update', 'delete', 'truncate') AND watched.data = 'old_and_new';
    -- Rows of one key have one topic.
    is_fixed CONSTANT BOOLEAN := keys @> @functions@.topic_columns(watched.topic);
    used TEXT[];
    rows TEXT;
    key TEXT;
BEGIN
    SELECT array_agg(quote_ident(attname) ORDER BY attnum) INTO used
    FROM pg_attribute
    WHERE attrelid = watched.source AND attnum > 0 AND NOT attisdropped
        AND (watched.columns IS NULL OR attname = ANY (keys || watched.columns || @functions@.topic_columns(watched.topic)));
    SELECT string_agg(format('%L || coalesce(to_json(%s)::text, ''null'')',
        CASE place WHEN 1 THEN '{' ELSE ',' END || to_json(attname::TEXT) || ':',
        @functions@.json_value(format('o.%I', attname), atttypid)), ' || ' ORDER BY place) || ' || ''}'''
    INTO key
    FROM unnest(keys) WITH ORDINALITY AS part (name, place) JOIN pg_attribute ON attrelid = watched.source AND attname = part.name;
    rows := CASE operation
        WHEN 'insert' THEN '(SELECT %1$s, false AS "is old" FROM new_rows)'
        -- New rows count if the statement has changed their keys.
        WHEN 'update' THEN '(SELECT %1$s, true AS "is old" FROM old_rows UNION ALL SELECT %1$s, false FROM new_rows AS n '
            || 'WHERE NOT EXISTS (SELECT FROM old_rows AS o WHERE %2$s))'
        WHEN 'delete' THEN '(SELECT %1$s, true AS "is old" FROM old_rows)'
        WHEN 'truncate' THEN '(SELECT %1$s, true AS "is old" FROM @source@)'
        ELSE '(SELECT %1$s, false AS "is old" FROM part)'
    END || ' AS o';
    IF is_change THEN
        rows := rows || ' LEFT JOIN (SELECT %1$s FROM @source@) AS c ON %3$s '
            'CROSS JOIN LATERAL (SELECT %4$s) AS cv CROSS JOIN LATERAL (SELECT %5$s) AS ov WHERE %6$s';
    ELSE
        rows := rows || ' CROSS JOIN LATERAL (SELECT %7$s) AS cv CROSS JOIN LATERAL (SELECT %5$s) AS ov';
    END IF;
    rows := format(rows, array_to_string(used, ', '),
        (SELECT string_agg(format('o.%1$I = n.%1$I', name), ' AND ') FROM unnest(keys) AS name),
        (SELECT string_agg(format('c.%1$I = o.%1$I', name), ' AND ') FROM unnest(keys) AS name),
        @functions@.watch_values(watched, 'c'), @functions@.watch_values(watched, 'o'),
        format('(NOT o."is old" OR c.%I IS NULL OR ROW(%s)::record *<> ROW(%s)::record)', keys[1],
            'o.' || array_to_string(used, ', o.'), 'c.' || array_to_string(used, ', c.')),
        @functions@.watch_values(watched, 'o'));
    RETURN format($statement$
        INSERT INTO %1$I.dunlin_outbox (topic, type, data)
        SELECT 'dunlin/outbox', 'dunlin.batch', convert_to('[' || string_agg(events, ',') || ']', 'UTF8')
        FROM (
            -- A batch ends after 256 KiB, with 524 bytes more for each event: that is at most 500 events.
            SELECT events, sum(octet_length(events) + 524) OVER (ROWS UNBOUNDED PRECEDING) / 262144 AS part
            FROM (
                SELECT concat_ws(',',
                    CASE WHEN is_old AND %2$s THEN '["' || topic || '",' || %3$L || ',{"key":' || key || CASE
                        WHEN octet_length(old_values) > 1040000 THEN ',"omitted":"too_large"}' ELSE %4$s END || ']' END,
                    CASE WHEN is_present THEN '["' || %5$s || ',{"key":' || key || CASE
                        WHEN octet_length(new_values) + coalesce(octet_length(old_values), 0) > 1040000
                            THEN ',"omitted":"too_large"}' ELSE %6$s END || ']' END) AS events
                FROM (
                    SELECT o."is old" AS is_old, %7$s AS is_present, %8$s AS topic, %9$s AS new_topic, %10$s AS key, %11$s AS old_values,
                        %12$s AS new_values
                    FROM %13$s OFFSET 0
                ) AS changes OFFSET 0
            ) AS texts
            WHERE events <> ''
        ) AS parts
        GROUP BY part ORDER BY part$statement$,
        @store_text@,
        CASE WHEN is_fixed THEN 'NOT is_present' ELSE '(topic = new_topic) IS NOT TRUE' END,
        to_json(watched.type || '.deleted'),
        CASE WHEN has_old_data THEN ''',"old":'' || old_values || ''}''' ELSE '''}''' END,
        format(CASE
            WHEN operation = 'snapshot' THEN 'topic || ''",'' || %1$L'
            WHEN is_fixed THEN 'topic || ''",'' || CASE WHEN is_old THEN %2$L ELSE %3$L END'
            ELSE 'new_topic || ''",'' || CASE WHEN is_old AND topic = new_topic THEN %2$L ELSE %3$L END'
        END, to_json(watched.type || '.read'), to_json(watched.type || '.updated'), to_json(watched.type || '.inserted')),
        CASE
            WHEN watched.data = 'keys' THEN '''}'''
            WHEN has_old_data AND is_fixed
                THEN ''',"new":'' || new_values || CASE WHEN is_old THEN '',"old":'' || old_values ELSE '''' END || ''}'''
            WHEN has_old_data
                THEN ''',"new":'' || new_values || CASE WHEN is_old AND topic = new_topic THEN '',"old":'' || old_values ELSE '''' END '
                    '|| ''}'''
            ELSE ''',"new":'' || new_values || ''}'''
        END,
        CASE WHEN is_change THEN format('c.%I IS NOT NULL', keys[1]) ELSE (operation = 'snapshot')::TEXT END,
        @functions@.watch_topic(watched, 'o'),
        CASE WHEN is_change AND NOT is_fixed
                THEN format('CASE WHEN c.%I IS NOT NULL THEN %s END', keys[1], @functions@.watch_topic(watched, 'c'))
            WHEN operation = 'snapshot' THEN @functions@.watch_topic(watched, 'o') ELSE 'NULL::text' END,
        key,
        CASE WHEN has_old_data THEN 'row_to_json(ov)::text' ELSE 'NULL::text' END,
        CASE WHEN operation <> 'truncate' AND watched.data <> 'keys'
            THEN CASE WHEN is_change THEN format('CASE WHEN c.%I IS NOT NULL THEN row_to_json(cv)::text END', keys[1])
                ELSE 'row_to_json(cv)::text' END
            ELSE 'NULL::text' END,
        rows);
END $$;

-- Returns whether a trigger function of a watch is missing or outdated, and creates or updates them if is_applied.
CREATE OR REPLACE FUNCTION @functions@.watch_define(watched @functions@.watch, is_applied BOOLEAN) RETURNS BOOLEAN
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    operation TEXT;
    statement TEXT;
    name TEXT;
    body TEXT;
    has_changed BOOLEAN := false;
BEGIN
    FOREACH operation IN ARRAY '{insert,update,delete,truncate}'::TEXT[] LOOP
        name := format('%I.%I', @functions_text@, format('watch_%s_%s', watched.id, operation));
        statement := @functions@.watch_statement(watched, operation);
        IF operation = 'truncate' THEN
            body := format($body$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'TRUNCATE of a watched table needs READ COMMITTED.' USING ERRCODE = '0A000',
            HINT = 'Use DELETE, or truncate in a transaction with the isolation level READ COMMITTED.';
    END IF;
    EXECUTE replace(%L, '@source@', tg_relid::regclass::text);
    RETURN NULL;
END $body$, statement);
        ELSE
            -- The plan of small statements is kept in the session. A large one has a plan of its own, and so has a renamed table and
            -- a write to a partition.
            body := format($body$
DECLARE
    rows CONSTANT BIGINT := (SELECT count(*) FROM (SELECT FROM %1$s_rows LIMIT 101) AS counted);
BEGIN
    IF rows = 0 THEN
        RETURN NULL;
    END IF;
    IF rows <= 100 AND tg_table_name = %2$L AND tg_table_schema = %3$L THEN
        %4$s;
    ELSE
        PERFORM set_config('enable_seqscan', 'on', true);
        EXECUTE replace(%5$L, '@source@', coalesce(pg_partition_root(tg_relid), tg_relid)::regclass::text);
    END IF;
    RETURN NULL;
END $body$, CASE operation WHEN 'insert' THEN 'new' ELSE 'old' END, (SELECT relname FROM pg_class WHERE oid = watched.source),
                (SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid WHERE pg_class.oid = watched.source),
                replace(statement, '@source@', watched.source::TEXT), statement);
        END IF;
        CONTINUE WHEN body IS NOT DISTINCT FROM (SELECT prosrc FROM pg_proc WHERE oid = to_regproc(name));
        has_changed := true;
        IF is_applied THEN
            -- No setting of the session may change a text or keep rows back. Without sequential scans, a plan that is made while the table
            -- is small stays right.
            EXECUTE format('CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                'SET search_path = pg_catalog, pg_temp SET timezone = ''UTC'' SET datestyle = ''ISO'' SET intervalstyle = ''iso_8601'' SET bytea_output = ''hex'' '
                'SET extra_float_digits = 1 SET row_security = off SET enable_seqscan = off SET jit = off AS %L', name, body);
            EXECUTE format('REVOKE ALL ON FUNCTION %s() FROM PUBLIC', name);
        END IF;
    END LOOP;
    RETURN has_changed;
END $$;
