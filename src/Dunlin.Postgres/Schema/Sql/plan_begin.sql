-- Makes the planner scan an index in order until the transaction ends or plan_end runs. The columns are evaluated from left to right.
-- Without JIT: the planner's high cost of a scan that it cannot avoid would start the compiler, which takes a second.
SELECT set_config('dunlin.enable_bitmapscan', current_setting('enable_bitmapscan'), true), set_config('enable_bitmapscan', 'off', true),
    set_config('dunlin.enable_seqscan', current_setting('enable_seqscan'), true), set_config('enable_seqscan', 'off', true),
    set_config('dunlin.jit', current_setting('jit'), true), set_config('jit', 'off', true)
