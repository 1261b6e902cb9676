-- Reads the last fencing token; 0 for none.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM dunlin_fence
