-- Leaves out fencing tokens that the lost history may have granted, and reads the last one. The microseconds since 1970 grow from
-- restore to restore, faster than leases are granted, and stay below 2^53, the largest exact integer of a browser, until 2255.
UPDATE dunlin_counter SET value = max(value, CAST(unixepoch('subsec') * 1000000 AS INTEGER)) WHERE name = 'fence' RETURNING value
