-- The next fencing token; the lock of the writer makes tokens grow in the order of grants.
SELECT nextval('dunlin_fence')
