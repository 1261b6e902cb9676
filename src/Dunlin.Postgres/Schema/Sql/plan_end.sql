-- Restores the settings of the planner from before plan_begin.
SELECT set_config('enable_bitmapscan', current_setting('dunlin.enable_bitmapscan'), true),
    set_config('enable_seqscan', current_setting('dunlin.enable_seqscan'), true),
    set_config('jit', current_setting('dunlin.jit'), true)
