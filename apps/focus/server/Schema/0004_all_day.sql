-- An all-day entry starts and ends at midnight UTC: its dates are the same in every time zone.
ALTER TABLE focus_event ADD COLUMN is_all_day BIGINT NOT NULL DEFAULT 0;

-- The name of a colour; empty for the colour of the page.
ALTER TABLE focus_event ADD COLUMN color TEXT NOT NULL DEFAULT '';

-- The task that the entry plans. The task may have been deleted since.
ALTER TABLE focus_event ADD COLUMN task_id TEXT;
