-- Functions for programs that publish by SQL, in the schema @functions@. They work on the store in the schema @store@ with the rights of
-- its owner. Running this script again updates them and keeps granted rights.
-- Errors have a standard SQLSTATE, a detail with Dunlin's error code, and a hint:
--   22023 invalid_topic, invalid_field    54000 too_large    42501 forbidden    23505 idempotency_key_reused    55000 lease_lost

DO $install$
DECLARE
    bound TEXT;
BEGIN
    IF @functions_text@ = @store_text@ THEN
        RAISE EXCEPTION 'The functions cannot be in %, the schema of the store.', @store_text@ USING HINT = 'Choose another schema for the functions.';
    END IF;
    IF to_regnamespace(@functions_quoted@) IS NULL THEN
        CREATE SCHEMA @functions@;
    END IF;
    bound := obj_description(to_regclass(@functions_quoted@ || '.publisher'), 'pg_class');
    IF bound <> @store_text@ THEN
        RAISE EXCEPTION 'The functions in % belong to the store in %.', @functions_text@, bound
            USING HINT = 'Choose another schema for the functions of this store, or drop the other ones.';
    END IF;
END $install$;

-- The topics that roles may publish to. While it is empty, each role that may execute publish() may publish to all topics. A role has the
-- rights of the roles that it is a member of.
CREATE TABLE IF NOT EXISTS @functions@.publisher (
    role NAME NOT NULL,
    -- A topic, or a pattern: * is one segment, ** at the end is one or more.
    pattern TEXT NOT NULL,
    PRIMARY KEY (role, pattern)
);

-- The schema of the store, by which a later run of this script recognises functions of another store.
COMMENT ON TABLE @functions@.publisher IS @store_text@;

-- Claims of open transactions. Each is deleted when its commit begins, so no committed row stays.
CREATE UNLOGGED TABLE IF NOT EXISTS @functions@.lease_claim (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource TEXT NOT NULL,
    lease_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    fencing_token BIGINT
);

-- Returns whether a pattern covers a topic.
CREATE OR REPLACE FUNCTION @functions@.topic_matches(topic TEXT, pattern TEXT) RETURNS BOOLEAN
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT topic ~ ('^' || replace(replace(regexp_replace(pattern, '([.|+$])', '\\\1', 'g'), '**', '.+'), '*', '[^/]+') || '$')
$$;

-- Raises an error unless a role may publish such an event.
CREATE OR REPLACE FUNCTION @functions@.check_event(topic TEXT, type TEXT, bytes INTEGER, publisher NAME) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF topic IS NULL OR length(topic) > 200
        OR topic !~ '^[A-Za-z0-9._~:@|+=!$%-]+(/[A-Za-z0-9._~:@|+=!$%-]+)*$' THEN
        RAISE EXCEPTION 'The topic % is not valid.', coalesce(quote_literal(left(topic, 200)), 'null') USING ERRCODE = '22023', DETAIL = 'invalid_topic',
            HINT = 'A topic has 1 to 200 characters: segments of letters, digits and -._~:@|+=!$% with / between them.';
    END IF;
    IF topic = 'dunlin' OR starts_with(topic, 'dunlin/') THEN
        RAISE EXCEPTION 'The topic % belongs to the engine.', quote_literal(topic) USING ERRCODE = '42501', DETAIL = 'forbidden',
            HINT = 'Publish to a topic that does not begin with dunlin.';
    END IF;
    IF type IS NULL OR type !~ '^[!-~]{1,100}$' THEN
        RAISE EXCEPTION 'The type % is not valid.', coalesce(quote_literal(left(type, 100)), 'null') USING ERRCODE = '22023', DETAIL = 'invalid_field',
            HINT = 'A type has 1 to 100 printable ASCII characters without spaces.';
    END IF;
    IF type IN ('error', 'open') OR type ~ '^(dunlin|lease|presence|stream)\.' THEN
        RAISE EXCEPTION 'The type % is reserved.', quote_literal(type) USING ERRCODE = '22023', DETAIL = 'invalid_field',
            HINT = 'The engine reserves types that begin with dunlin., lease., presence. or stream., and error and open.';
    END IF;
    IF bytes > 1048576 THEN
        RAISE EXCEPTION 'The data has % bytes; the limit is 1048576.', bytes USING ERRCODE = '54000', DETAIL = 'too_large',
            HINT = 'Store large data elsewhere and publish its address.';
    END IF;
    IF EXISTS (SELECT FROM @functions@.publisher) AND NOT EXISTS (
        SELECT FROM @functions@.publisher AS allowed JOIN pg_roles AS known_role ON known_role.rolname = allowed.role
        WHERE pg_has_role(publisher, known_role.oid, 'MEMBER') AND @functions@.topic_matches(check_event.topic, allowed.pattern)
    ) THEN
        RAISE EXCEPTION 'The role % may not publish to %.', quote_ident(publisher), quote_literal(topic) USING ERRCODE = '42501', DETAIL = 'forbidden',
            HINT = format('Ask the owner to insert the role and a pattern into %s.publisher.', @functions_quoted@);
    END IF;
END $$;

-- Publishes an event if the calling transaction commits.
--   topic  the topic, such as branches/1
--   type   the type of the event, such as case.updated
--   data   the data; null stands for the JSON null
--   key    makes a repetition do nothing: 1 to 100 characters, kept for as long as the server's keys
-- Returns true, or false for a repeated key. A second use of a key waits until the transaction of the first one ends.
CREATE OR REPLACE FUNCTION @functions@.publish(topic TEXT, type TEXT, data JSONB DEFAULT NULL, key TEXT DEFAULT NULL) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bytes CONSTANT BYTEA := convert_to(coalesce(data, 'null')::TEXT, 'UTF8');
    publisher NAME;
    print BYTEA;
    known BYTEA;
BEGIN
    -- The usual event takes one expression without regular expressions and one statement: this halves the time of the function. The
    -- expression accepts no event that check_event() refuses.
    IF key IS NULL AND octet_length(bytes) <= 1048576 AND length(topic) BETWEEN 1 AND 200 AND length(type) BETWEEN 1 AND 100
        AND translate(topic, '/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@|+=!$%', '') = ''
        AND strpos('/' || topic || '/', '//') = 0 AND NOT starts_with(topic || '/', 'dunlin/')
        AND translate(type, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._', '') = ''
        AND NOT starts_with(type, 'dunlin.') AND NOT starts_with(type, 'lease.') AND NOT starts_with(type, 'presence.')
        AND NOT starts_with(type, 'stream.') AND type <> 'error' AND type <> 'open' THEN
        INSERT INTO @store@.dunlin_outbox (topic, type, data)
        SELECT publish.topic, publish.type, bytes WHERE NOT EXISTS (SELECT FROM @functions@.publisher);
        IF FOUND THEN
            RETURN true;
        END IF;
    END IF;
    publisher := CASE coalesce(current_setting('role', true), 'none') WHEN 'none' THEN session_user ELSE current_setting('role') END;
    PERFORM @functions@.check_event(topic, type, octet_length(bytes), publisher);
    IF key IS NOT NULL THEN
        IF length(key) NOT BETWEEN 1 AND 100 OR key ~ '[[:cntrl:]]' THEN
            RAISE EXCEPTION 'The key is not valid.' USING ERRCODE = '22023', DETAIL = 'invalid_field',
                HINT = 'A key has 1 to 100 characters, without control characters.';
        END IF;
        print := substring(sha256(convert_to(length(topic) || ' ' || length(type) || ' ' || topic || type, 'UTF8') || bytes) FROM 1 FOR 16);
        LOOP
            -- No key of an HTTP request has this scope, because scopes of requests have no control characters.
            INSERT INTO @store@.dunlin_idempotency (scope, key, fingerprint, first_offset, count, time)
            VALUES (chr(1) || 'sql ' || publisher, publish.key, print, 0, 0, extract(epoch FROM clock_timestamp()) * 1000)
            ON CONFLICT DO NOTHING;
            EXIT WHEN FOUND;
            SELECT used.fingerprint INTO known FROM @store@.dunlin_idempotency AS used
            WHERE used.scope = chr(1) || 'sql ' || publisher AND used.key = publish.key;
            IF known = print THEN
                RETURN false;
            END IF;
            -- Otherwise retention has deleted the key since the insert.
            IF FOUND THEN
                RAISE EXCEPTION 'The key % was used with other content.', quote_literal(key) USING ERRCODE = '23505', DETAIL = 'idempotency_key_reused',
                    HINT = 'Use a new key for each event, and the same key only to repeat it.';
            END IF;
        END LOOP;
    END IF;
    INSERT INTO @store@.dunlin_outbox (topic, type, data) VALUES (publish.topic, publish.type, bytes);
    RETURN true;
END $$;

-- Raises 55000 unless the lease is held.
CREATE OR REPLACE FUNCTION @functions@.check_lease(resource TEXT, lease_id TEXT, user_id TEXT, fencing_token BIGINT, is_locked BOOLEAN) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_lease @store@.dunlin_lease;
    -- 100 ns ticks since year 1.
    now_ticks CONSTANT BIGINT := (extract(epoch FROM clock_timestamp()) * 10000000)::BIGINT + 621355968000000000;
    reason TEXT;
BEGIN
    IF is_locked THEN
        SELECT * INTO found_lease FROM @store@.dunlin_lease AS lease WHERE lease.resource = check_lease.resource FOR SHARE;
    ELSE
        SELECT * INTO found_lease FROM @store@.dunlin_lease AS lease WHERE lease.resource = check_lease.resource;
    END IF;
    reason := CASE
        WHEN found_lease.lease_id IS NULL THEN 'nobody holds it'
        WHEN found_lease.lease_id <> check_lease.lease_id OR found_lease.user_id <> check_lease.user_id THEN 'another lease holds it'
        WHEN found_lease.fence <> check_lease.fencing_token THEN 'the fencing token is of another grant'
        WHEN found_lease.expires_at <= now_ticks THEN 'it has expired'
    END;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION 'The lease on % is not held: %.', quote_literal(resource), reason USING ERRCODE = '55000', DETAIL = 'lease_lost',
            HINT = 'Acquire the lease again, load the rows again, and repeat the change.';
    END IF;
END $$;

-- Lets the calling transaction commit only while the lease is held. It checks now, and again when the commit begins. From then to its end
-- the lease cannot pass to anybody.
--   resource, lease_id, user_id  the lease and its holder
--   fencing_token                the token of the grant; null accepts any grant of this lease
CREATE OR REPLACE FUNCTION @functions@.require_lease(resource TEXT, lease_id TEXT, user_id TEXT, fencing_token BIGINT DEFAULT NULL) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF resource IS NULL OR lease_id IS NULL OR user_id IS NULL THEN
        RAISE EXCEPTION 'require_lease() needs a resource, a lease id and a user id.' USING ERRCODE = '22023', DETAIL = 'invalid_field',
            HINT = 'Pass the values with which the lease was acquired.';
    END IF;
    PERFORM @functions@.check_lease(resource, lease_id, user_id, fencing_token, false);
    INSERT INTO @functions@.lease_claim (resource, lease_id, user_id, fencing_token)
    VALUES (require_lease.resource, require_lease.lease_id, require_lease.user_id, require_lease.fencing_token);
END $$;

CREATE OR REPLACE FUNCTION @functions@.lease_claim_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @functions@.check_lease(new.resource, new.lease_id, new.user_id, new.fencing_token, true);
    DELETE FROM @functions@.lease_claim WHERE id = new.id;
    RETURN NULL;
END $$;

DO $install$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = (@functions_quoted@ || '.lease_claim')::regclass AND tgname = 'lease_claim_commit') THEN
        CREATE CONSTRAINT TRIGGER lease_claim_commit AFTER INSERT ON @functions@.lease_claim
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @functions@.lease_claim_commit();
    END IF;
END $install$;

-- Returns the position of the last event in the journal, as a stream has it. Read it before the rows, and open the stream from it: the
-- stream then has every later event. Events that have committed may not have a position yet.
CREATE OR REPLACE FUNCTION @functions@.head() RETURNS TEXT
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT lpad(to_hex(epoch.value), 8, '0') || '-' || greatest(coalesce((SELECT max("offset") FROM @store@.dunlin_journal), 0), trimmed.value)
    FROM @store@.dunlin_counter AS trimmed, @store@.dunlin_counter AS epoch WHERE trimmed.name = 'trimmed_through' AND epoch.name = 'epoch'
$$;

REVOKE ALL ON FUNCTION @functions@.topic_matches, @functions@.check_event, @functions@.publish, @functions@.check_lease, @functions@.require_lease,
    @functions@.lease_claim_commit, @functions@.head FROM PUBLIC;
