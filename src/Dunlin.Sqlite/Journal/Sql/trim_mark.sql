-- Remembers, with the removal, that readers before this offset have missed something.
UPDATE dunlin_topic SET trimmed_through = max(trimmed_through, ?2) WHERE id = ?1
