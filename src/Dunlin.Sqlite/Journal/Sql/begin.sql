-- Opens the writer's transaction and takes the write lock at once, so that no later statement can fail to get it.
BEGIN IMMEDIATE
