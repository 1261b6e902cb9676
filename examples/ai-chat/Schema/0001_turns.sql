-- The questions and answers of all conversations. A row changes in the transaction that appends its event.
CREATE TABLE turn (
    user_id TEXT NOT NULL,
    chat TEXT NOT NULL,
    id TEXT NOT NULL, -- chosen by the page for a question, so that a repeated request finds its row
    number INTEGER NOT NULL, -- the order in the conversation: the journal offset of the first event
    role TEXT NOT NULL, -- user or assistant
    text TEXT NOT NULL,
    state TEXT NOT NULL, -- writing, done, stopped or failed
    error TEXT NULL,
    version INTEGER NOT NULL, -- the journal offset of the last event
    PRIMARY KEY (user_id, chat, id)
);

-- For the list of conversations, and the turns of one in their order.
CREATE UNIQUE INDEX turn_order ON turn (user_id, chat, number);
