-- Opens the writer's transaction; takes the write lock at once, so that nothing inside can be refused for it later.
BEGIN IMMEDIATE
