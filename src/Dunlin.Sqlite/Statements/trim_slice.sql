-- Records that earlier readers have missed events, and then deletes the oldest events of the topic ?1, at most ?3, through the offset ?2.
-- All three commands see the same slice, because only the last one deletes.
UPDATE dunlin_topic SET trimmed_through = max(trimmed_through, coalesce((SELECT max(offset) FROM (
    SELECT offset FROM dunlin_journal WHERE topic = ?1 AND offset <= ?2 ORDER BY offset LIMIT ?3)), 0)) WHERE id = ?1;
UPDATE dunlin_counter SET value = max(value, coalesce((SELECT max(offset) FROM (
    SELECT offset FROM dunlin_journal WHERE topic = ?1 AND offset <= ?2 ORDER BY offset LIMIT ?3)), 0)) WHERE name = 'trimmed_through';
DELETE FROM dunlin_journal WHERE topic = ?1 AND offset <= (SELECT max(offset) FROM (
    SELECT offset FROM dunlin_journal WHERE topic = ?1 AND offset <= ?2 ORDER BY offset LIMIT ?3))
