-- Reads topics of live streams in a range, after a topic, by topic.
SELECT topic FROM dunlin_stream WHERE topic >= $1 AND topic < $2 AND topic > $3 AND status = 0 ORDER BY topic LIMIT $4
