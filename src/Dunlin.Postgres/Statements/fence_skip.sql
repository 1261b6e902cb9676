-- Leaves out fencing tokens that the lost history may have granted, and reads the last one. The microseconds since 1970 grow from
-- restore to restore, faster than leases are granted, and stay below 2^53, the largest exact integer of a browser, until 2255.
SELECT setval('dunlin_fence', greatest(last_value, (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT)) FROM dunlin_fence
