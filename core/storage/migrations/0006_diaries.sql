-- Diaries: how a member runs and how their hip is doing, where they asked for check-ins or tips.
-- Reason: what is written to them first is planned from it.
CREATE TABLE diaries (
    member TEXT PRIMARY KEY REFERENCES members (id),
    look TEXT,
    diary BLOB NOT NULL
);
CREATE INDEX diaries_look ON diaries (look) WHERE look IS NOT NULL;
