-- Returns the next fencing token. Under the writer's lock, tokens grow in the order of grants.
SELECT nextval('dunlin_fence')
