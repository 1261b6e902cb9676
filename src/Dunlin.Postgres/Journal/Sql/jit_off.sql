-- Ends just-in-time compilation for this transaction. The planner overestimates page_patterns by far. Compiling it takes 100 to 300 ms a
-- page, and the page itself takes a few.
SELECT set_config('jit', 'off', true)
