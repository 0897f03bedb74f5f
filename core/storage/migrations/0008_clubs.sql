-- Clubs: the chats that organisers have claimed, with their group runs.
-- Reason: members follow the runs of their club, and organisers set them.
CREATE TABLE clubs (
    member TEXT PRIMARY KEY REFERENCES members (id),
    chat_digest BLOB NOT NULL UNIQUE,
    club BLOB NOT NULL
);
