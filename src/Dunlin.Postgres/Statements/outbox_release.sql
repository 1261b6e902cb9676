-- Ends the claim of the node $1, so that each commit notifies the nodes.
SELECT setval('dunlin_outbox_mover'::regclass, 0)
WHERE coalesce(pg_sequence_last_value('dunlin_outbox_mover'::regclass), 0) % 1000 = $1
