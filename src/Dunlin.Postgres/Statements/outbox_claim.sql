-- Claims, for the node $1 and $2 ms, to be the node that moves rows, and returns 1; 0 if another node is. Two nodes that claim at the same
-- time may both get 1: the last one keeps it, and the other one finds out at its next claim.
SELECT CASE WHEN mover % 1000 <> $1 AND mover / 1000 > now THEN 0
    ELSE sign(setval('dunlin_outbox_mover'::regclass, (now + $2) * 1000 + $1))::BIGINT END
FROM (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT AS now,
        coalesce(pg_sequence_last_value('dunlin_outbox_mover'::regclass), 0) AS mover
) AS found
