-- Devices that have been seen, and what their owners call them. An id belongs to the user who brought it first.
CREATE TABLE focus_device (
    device_id   TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL,
    name        TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

-- The list of a user's devices, and the search for a free name.
CREATE INDEX focus_device_user ON focus_device (user_id, created_at);

-- Tasks. The time logged is kept in milliseconds, so that many short sessions add up without rounding.
-- Ids are unique within a user only: knowing another's id is of no use. The version is the journal offset of the last change.
CREATE TABLE focus_task (
    user_id     TEXT NOT NULL,
    id          TEXT NOT NULL,
    title       TEXT NOT NULL,
    notes       TEXT NOT NULL,
    is_done     BIGINT NOT NULL,
    logged_ms   BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    deleted_at  BIGINT,
    PRIMARY KEY (user_id, id)
);

-- Calendar entries: the instants in UTC, and beside each the offset in minutes that it was given with.
CREATE TABLE focus_event (
    user_id       TEXT NOT NULL,
    id            TEXT NOT NULL,
    title         TEXT NOT NULL,
    notes         TEXT NOT NULL,
    starts_at     BIGINT NOT NULL,
    starts_offset BIGINT NOT NULL,
    ends_at       BIGINT NOT NULL,
    ends_offset   BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    deleted_at    BIGINT,
    PRIMARY KEY (user_id, id)
);

-- A week of a user's calendar.
CREATE INDEX focus_event_time ON focus_event (user_id, starts_at);

-- The timer of a user: the primary key is what makes it one. The row stays when the timer is over, without a state,
-- because its version goes on growing. due_at is when time alone changes it next.
CREATE TABLE focus_timer (
    user_id     TEXT PRIMARY KEY,
    version     BIGINT NOT NULL,
    state       TEXT,
    due_at      BIGINT
);

-- What is due, for the schedule.
CREATE INDEX focus_timer_due ON focus_timer (due_at);

-- Timers that are over, each once: what makes a repeated "complete" log nothing twice.
CREATE TABLE focus_session (
    user_id     TEXT NOT NULL,
    id          TEXT NOT NULL,
    task_id     TEXT,
    task_title  TEXT NOT NULL,
    mode        TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    focused_ms  BIGINT NOT NULL,
    logged_ms   BIGINT NOT NULL,
    paused_ms   BIGINT NOT NULL,
    pauses      BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (user_id, id)
);
