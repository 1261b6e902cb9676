-- Completes an import: sets the epoch to ?1 unless that is 0, and records that retention deleted events through ?2.
UPDATE dunlin_counter SET value = ?1 WHERE name = 'epoch' AND ?1 <> 0 AND ?2 >= 0;
UPDATE dunlin_counter SET value = max(value, ?2) WHERE name = 'trimmed_through' AND ?1 >= 0;
DELETE FROM dunlin_counter WHERE name IN ('import', 'import_through') AND ?1 >= 0 AND ?2 >= 0
