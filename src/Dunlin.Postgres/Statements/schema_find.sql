-- The last script of one set that ran; no row for a new set.
SELECT number FROM dunlin_schema WHERE name = $1
