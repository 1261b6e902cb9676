-- Reads the changes of a space after a version (and key), for one reader (null: for all), with keys that start with ?5 (empty: all).
SELECT key, version, created, deleted_at, audience, value FROM dunlin_record
WHERE space = ?1 AND (version, key) > (?2, ?3)
    AND (?4 IS NULL OR audience IS NULL OR audience = ?4)
    AND (?5 = '' OR substr(key, 1, length(?5)) = ?5)
    AND (?6 = 0 OR deleted_at IS NULL)
ORDER BY version, key
LIMIT ?7
