-- Records, together with the deletion, that readers before this offset have missed events.
UPDATE dunlin_topic SET trimmed_through = max(trimmed_through, ?2) WHERE id = ?1
