-- A series: its RRULE, its time zone, and the original starts of deleted occurrences, in milliseconds, separated by spaces.
ALTER TABLE focus_event ADD COLUMN rule TEXT;
ALTER TABLE focus_event ADD COLUMN time_zone TEXT;
ALTER TABLE focus_event ADD COLUMN excluded TEXT NOT NULL DEFAULT '';

-- The end of the last occurrence of a series; null if it has none.
ALTER TABLE focus_event ADD COLUMN series_ends_at BIGINT;

-- A changed occurrence: its series, and when it started by the rule.
ALTER TABLE focus_event ADD COLUMN series_id TEXT;
ALTER TABLE focus_event ADD COLUMN original_start BIGINT;

-- The changed occurrences of a series.
CREATE INDEX focus_event_series ON focus_event (user_id, series_id);
