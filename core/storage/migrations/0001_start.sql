-- Start: members, what they set and agreed to, checks in progress, what came in and what is owed.
-- Reason: the first database. Whatever is personal is sealed (BLOB); core/storage/columns.py says why the rest is in clear.

-- One row: what only the right keys open, and the look-up key that every digest is made with.
CREATE TABLE house (
    id TEXT PRIMARY KEY,
    key_check BLOB NOT NULL,
    lookup_ring_key TEXT NOT NULL,
    lookup BLOB NOT NULL
);

-- A wrapped data key for each member, and one for the house. Without its key a member's rows are noise.
CREATE TABLE keys (
    owner TEXT PRIMARY KEY,
    ring_key TEXT NOT NULL,
    wrapped BLOB NOT NULL
);

CREATE TABLE members (
    id TEXT PRIMARY KEY
);

CREATE TABLE addresses (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES members (id),
    platform TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    address BLOB NOT NULL
);
CREATE INDEX addresses_member ON addresses (member);

CREATE TABLE settings (
    member TEXT PRIMARY KEY REFERENCES members (id),
    settings BLOB NOT NULL
);

CREATE TABLE consents (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES members (id),
    position INTEGER NOT NULL,
    consent BLOB NOT NULL,
    UNIQUE (member, position)
);

CREATE TABLE sessions (
    address TEXT PRIMARY KEY REFERENCES addresses (id),
    member TEXT NOT NULL REFERENCES members (id),
    touched TEXT NOT NULL,
    session BLOB NOT NULL
);
CREATE INDEX sessions_member ON sessions (member);
CREATE INDEX sessions_touched ON sessions (touched);

CREATE TABLE history (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES members (id),
    position INTEGER NOT NULL,
    entry BLOB NOT NULL,
    UNIQUE (member, position)
);

-- What came in. Handled rows keep only their digest, so that an update that is delivered again is known.
CREATE TABLE inbox (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    platform TEXT NOT NULL,
    update_digest BLOB NOT NULL UNIQUE,
    sender_digest BLOB,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'handled', 'set_aside')),
    received TEXT NOT NULL,
    raw BLOB
);
CREATE INDEX inbox_waiting ON inbox (platform, state, position);
CREATE INDEX inbox_sender ON inbox (sender_digest);
CREATE INDEX inbox_received ON inbox (received);

-- What is owed. Settled rows lose their content first, and go once their occurrence cannot come again.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES members (id),
    address TEXT NOT NULL REFERENCES addresses (id),
    position INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'sent', 'unknown', 'skipped', 'dropped')),
    attempt INTEGER NOT NULL,
    scheduled INTEGER NOT NULL,
    due TEXT NOT NULL,
    until TEXT,
    changed TEXT NOT NULL,
    occurrence_digest BLOB UNIQUE,
    owed BLOB,
    message BLOB
);
CREATE INDEX outbox_state ON outbox (state, scheduled, due, position);
CREATE INDEX outbox_member ON outbox (member);
CREATE INDEX outbox_changed ON outbox (changed);

-- Counts of deliveries about nobody in particular: all that were ever planned, and those whose rows have gone, by state.
CREATE TABLE tallies (
    name TEXT PRIMARY KEY,
    count INTEGER NOT NULL
);
INSERT INTO tallies (name, count) VALUES
    ('planned', 0), ('sent', 0), ('unknown', 0), ('skipped', 0), ('dropped', 0);
