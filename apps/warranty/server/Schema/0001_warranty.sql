-- Branches of the repair service; the code is part of every service number.
CREATE TABLE warranty_branch (
    id          BIGINT PRIMARY KEY,
    code        TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL
);

-- Which users work in which branch; administrators see all.
CREATE TABLE warranty_member (
    branch_id   BIGINT NOT NULL REFERENCES warranty_branch (id),
    user_id     TEXT NOT NULL,
    PRIMARY KEY (branch_id, user_id)
);

-- One repair under warranty. The version is the journal offset of its last change.
CREATE TABLE warranty_case (
    id               BIGINT PRIMARY KEY,
    branch_id        BIGINT NOT NULL REFERENCES warranty_branch (id),
    service_no       TEXT NOT NULL UNIQUE,
    status           TEXT NOT NULL,
    customer_name    TEXT NOT NULL,
    customer_contact TEXT NOT NULL,
    customer_email   TEXT NOT NULL,
    address          TEXT NOT NULL,
    purchase_date    TEXT NOT NULL,
    invoice          TEXT NOT NULL,
    received_items   TEXT NOT NULL,
    issues           TEXT NOT NULL,
    solutions        TEXT NOT NULL,
    remarks          TEXT NOT NULL,
    cost             TEXT NOT NULL,
    staff            TEXT NOT NULL,
    version          BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    deleted_at       BIGINT
);

-- The page of a branch lists its living cases.
CREATE INDEX warranty_case_branch ON warranty_case (branch_id, deleted_at, id);

-- The last service number handed out, per branch and month.
CREATE TABLE warranty_service_number (
    branch_id   BIGINT NOT NULL REFERENCES warranty_branch (id),
    month       TEXT NOT NULL,
    last        BIGINT NOT NULL,
    PRIMARY KEY (branch_id, month)
);

-- Every value that was overwritten, by whom and by what: last write wins, and nothing is lost.
CREATE TABLE warranty_history (
    case_id     BIGINT NOT NULL REFERENCES warranty_case (id),
    version     BIGINT NOT NULL,
    field       TEXT NOT NULL,
    old_value   TEXT NOT NULL,
    new_value   TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    user_name   TEXT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (case_id, version, field)
);
