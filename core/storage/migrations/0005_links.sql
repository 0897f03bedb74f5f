-- Links: codes by which two addresses become those of one member, and who was someone else before.
-- Reason: a member starts on one platform and goes on with the other; what is due goes to the address that was used last.

-- The older of two members takes in the newer.
ALTER TABLE members ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
UPDATE members SET position = rowid;
CREATE INDEX members_position ON members (position);

-- Which of a member's addresses was used last, in a count and not in times.
ALTER TABLE addresses ADD COLUMN used INTEGER NOT NULL DEFAULT 0;

-- A code that one address made, and the address at which it was typed.
CREATE TABLE links (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES members (id),
    address TEXT NOT NULL UNIQUE REFERENCES addresses (id) ON DELETE CASCADE,
    code_digest BLOB NOT NULL UNIQUE,
    until TEXT NOT NULL,
    joiner TEXT REFERENCES addresses (id) ON DELETE CASCADE
);
CREATE INDEX links_member ON links (member);
CREATE INDEX links_joiner ON links (joiner);
CREATE INDEX links_until ON links (until);

-- The id that a member had before they were taken in: a backup from then has it, and must not bring them back once erased.
CREATE TABLE former_members (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES members (id),
    joined TEXT NOT NULL
);
CREATE INDEX former_members_member ON former_members (member);
CREATE INDEX former_members_joined ON former_members (joined);
