-- Completes an import: sets the epoch to $1 unless that is 0, and records that retention deleted events through $2.
WITH ended AS (
    DELETE FROM dunlin_counter WHERE name IN ('import', 'import_through')
)
UPDATE dunlin_counter SET value = CASE WHEN name = 'epoch' THEN $1 ELSE greatest(value, $2) END
WHERE name = 'trimmed_through' OR (name = 'epoch' AND $1 <> 0)
