-- Reads the events of nodes other than $1 after the numbers $3 of the nodes $2.
SELECT sent.node, sent.number, sent.topic, sent.type, sent.data, sent.user_id, sent.session_id, sent.connection_id, sent.device_id, sent.time, sent.extra
FROM dunlin_transient sent LEFT JOIN unnest($2::TEXT[], $3::BIGINT[]) AS seen (node, number) ON seen.node = sent.node COLLATE "C"
WHERE sent.node <> $1 AND sent.number > coalesce(seen.number, 0)
ORDER BY sent.node, sent.number LIMIT 1000
