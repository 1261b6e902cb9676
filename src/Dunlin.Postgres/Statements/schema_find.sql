-- Reads the last executed script of a set; no row for a new set.
SELECT number FROM dunlin_schema WHERE name = $1
