-- The lengths of a user's pomodoro phases; without a row the defaults apply. long_break_every is 0 for no long break.
CREATE TABLE focus_settings (
    user_id            TEXT PRIMARY KEY,
    focus_minutes      BIGINT NOT NULL,
    break_minutes      BIGINT NOT NULL,
    long_break_minutes BIGINT NOT NULL,
    long_break_every   BIGINT NOT NULL,
    version            BIGINT NOT NULL
);
