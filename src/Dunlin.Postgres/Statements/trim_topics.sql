-- Reads a page of topics for retention, each with its last offset (0 if it has no event left) and the time of its first event. Most topics
-- need no further statement. The events of streams do not follow the rules.
-- Ranges instead of topic = id: with old statistics the planner would search the primary key for the first event of a topic, past all
-- events of others. The order of a range comes from the index by topic alone.
SELECT id, name,
    coalesce((SELECT "offset" FROM dunlin_journal WHERE topic >= dunlin_topic.id AND topic < dunlin_topic.id + 1
        ORDER BY topic DESC, "offset" DESC LIMIT 1), 0),
    coalesce((SELECT time FROM dunlin_journal WHERE topic >= dunlin_topic.id AND topic < dunlin_topic.id + 1
        ORDER BY topic, "offset" LIMIT 1), 0)
FROM dunlin_topic WHERE id > $1
    AND NOT EXISTS (SELECT 1 FROM dunlin_stream WHERE dunlin_stream.topic = dunlin_topic.name) ORDER BY id LIMIT $2
