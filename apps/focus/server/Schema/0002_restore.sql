-- The state of a timer that was cancelled last, so that the cancellation can be undone; null once another timer has started.
ALTER TABLE focus_timer ADD COLUMN cancelled TEXT;
