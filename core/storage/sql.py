"""All SQL there is, in the words that SQLite and PostgreSQL share; what is SQLite's own is at the end.

Every table that has rows about a member has a `member` column, and is listed in `ABOUT_MEMBERS` in the order in which
rows can be erased.
"""

# ---------------------------------------------------------------- keys

HOUSE = "SELECT id, key_check, lookup_ring_key, lookup FROM house"
NEW_HOUSE = "INSERT INTO house (id, key_check, lookup_ring_key, lookup) VALUES (?, ?, ?, ?)"
REWRAP_HOUSE = "UPDATE house SET key_check = ?, lookup_ring_key = ?, lookup = ?"
KEYS = "SELECT COUNT(*) FROM keys"
SAMPLES = """
SELECT ring_key, owner, wrapped FROM keys
WHERE ring_key <> ? AND owner IN (SELECT MIN(owner) FROM keys GROUP BY ring_key)
"""
SOME_KEYS = "SELECT owner, ring_key, wrapped FROM keys ORDER BY owner LIMIT ?"
KEY = "SELECT ring_key, wrapped FROM keys WHERE owner = ?"
NEW_KEY = "INSERT INTO keys (owner, ring_key, wrapped) VALUES (?, ?, ?)"
ERASE_KEY = "DELETE FROM keys WHERE owner = ?"
KEYS_OF_OTHER_RING_KEYS = "SELECT owner, ring_key, wrapped FROM keys WHERE ring_key <> ? LIMIT ?"
REWRAP = "UPDATE keys SET ring_key = ?, wrapped = ? WHERE owner = ?"

# ---------------------------------------------------------------- members

NEW_MEMBER = "INSERT INTO members (id, position) SELECT ?, COALESCE(MAX(position), 0) + 1 FROM members"
NEW_ADDRESS = "INSERT INTO addresses (id, member, platform, digest, address) VALUES (?, ?, ?, ?, ?)"
ADDRESS = "SELECT id, member FROM addresses WHERE digest = ?"
ADDRESSES = "SELECT id, platform, address FROM addresses WHERE member = ? ORDER BY id"
ADDRESS_DIGESTS = "SELECT digest FROM addresses WHERE member = ?"
UNREACHABLE = "UPDATE addresses SET unreachable = ? WHERE digest = ? AND unreachable IS NULL"
REACHABLE = "UPDATE addresses SET unreachable = NULL WHERE id = ? AND unreachable IS NOT NULL"
MOVE_ADDRESS = "UPDATE addresses SET digest = ?, address = ? WHERE id = ?"
_USED_LAST = "(SELECT MAX(a.used) FROM addresses a WHERE a.member = addresses.member)"
USED = f"""
UPDATE addresses SET unreachable = NULL, used = {_USED_LAST} + 1
WHERE id = ? AND (unreachable IS NOT NULL OR used < {_USED_LAST})
"""  # noqa: S608 - our names
USED_NOW = f"UPDATE addresses SET used = {_USED_LAST} + 1 WHERE id = ?"  # noqa: S608 - our names
TO_WRITE_TO = """
SELECT id, platform, address FROM addresses WHERE member = ? AND unreachable IS NULL ORDER BY used DESC, id LIMIT 1
"""
KEEP_PLACE = "UPDATE addresses SET place = ? WHERE id = ?"
KEPT_PLACE = "SELECT place FROM addresses WHERE id = ?"
USED_LAST = "SELECT id, platform, address FROM addresses WHERE member = ? ORDER BY used DESC, id LIMIT 1"
SETTINGS = "SELECT settings FROM settings WHERE member = ?"
SAVE_SETTINGS = """
INSERT INTO settings (member, settings) VALUES (?, ?) ON CONFLICT (member) DO UPDATE SET settings = excluded.settings
"""

SESSION = "SELECT address, session FROM sessions WHERE member = ? ORDER BY touched DESC LIMIT 1"
SESSIONS = "SELECT address, session FROM sessions WHERE member = ? ORDER BY address"
SAVE_SESSION = """
INSERT INTO sessions (address, member, touched, session) VALUES (?, ?, ?, ?)
ON CONFLICT (address) DO UPDATE SET member = excluded.member, touched = excluded.touched, session = excluded.session
"""
ERASE_OTHER_SESSIONS = "DELETE FROM sessions WHERE member = ? AND address <> ?"
ERASE_SESSION = "DELETE FROM sessions WHERE address = ?"

NEW_CONSENT = """
INSERT INTO consents (id, member, position, consent)
SELECT ?, ?, COALESCE(MAX(position), 0) + 1, ? FROM consents WHERE member = ?
"""
CONSENTS = "SELECT id, consent FROM consents WHERE member = ? ORDER BY position"

NEW_ENTRY = """
INSERT INTO history (id, member, position, entry)
SELECT ?, ?, COALESCE(MAX(position), 0) + 1, ? FROM history WHERE member = ?
"""
HISTORY = "SELECT id, entry FROM history WHERE member = ? ORDER BY position"

TRIM = {
    table: f"DELETE FROM {table} WHERE member = ? AND position <= (SELECT MAX(position) FROM {table} WHERE member = ?) - ?"  # noqa: S608 - our names
    for table in ("consents", "history")
}

NEW_RECEIPT = "INSERT INTO receipts (member, made) VALUES (?, ?)"
IS_RECEIPT = "SELECT 1 FROM receipts WHERE member = ?"
UNSETTLED_OF_MEMBER = "SELECT COUNT(*) FROM outbox WHERE member = ? AND state IN ('open', 'claimed', 'unknown')"
OLD_RECEIPTS = "SELECT member FROM receipts WHERE made < ? LIMIT ?"

# ---------------------------------------------------------------- links

ERASE_LINK_OF = "DELETE FROM links WHERE address = ?"
NEW_LINK = "INSERT INTO links (id, member, address, code_digest, until, joiner) VALUES (?, ?, ?, ?, ?, NULL)"
LINK_BY_CODE = "SELECT id, member, address, until, joiner FROM links WHERE code_digest = ?"
LINK_OF = "SELECT id, until, joiner FROM links WHERE address = ?"
LINKS = "SELECT until FROM links WHERE member = ? ORDER BY until"
JOIN = "UPDATE links SET joiner = ?, until = ? WHERE id = ?"
ERASE_LINKS_AT = "DELETE FROM links WHERE address = ? OR joiner = ?"
MEMBER_OF = "SELECT member FROM addresses WHERE id = ?"
ADDRESS_ROWS = "SELECT id FROM addresses WHERE member = ? ORDER BY id"
STAYS = "SELECT id FROM addresses WHERE member = ? AND id <> ? ORDER BY unreachable IS NOT NULL, used DESC, id LIMIT 1"
PLACE = "SELECT platform, address FROM addresses WHERE id = ?"
POSITION = "SELECT position FROM members WHERE id = ?"
TAKE_ADDRESS = "UPDATE addresses SET member = ?, address = ?, used = 0 WHERE id = ?"
SESSION_ROWS = "SELECT address, touched, session FROM sessions WHERE member = ?"
DELIVERY_ROWS = "SELECT id, address, state, owed, message FROM outbox WHERE member = ?"
TAKE_DELIVERY = """
UPDATE outbox SET member = ?, owed = ?, message = ?, occurrence_digest = COALESCE(?, occurrence_digest) WHERE id = ?
"""
OF_OCCURRENCE = "SELECT id, state FROM outbox WHERE occurrence_digest = ?"
TAKE_FORMER = "UPDATE former_members SET member = ? WHERE member = ?"
NEW_FORMER = "INSERT INTO former_members (id, member, joined) VALUES (?, ?, ?)"
FORMER = "SELECT id, joined FROM former_members WHERE member = ? ORDER BY joined, id"
STATES_OF_REPLIES_AT = "SELECT state, COUNT(*) FROM outbox WHERE address = ? AND scheduled = 0 GROUP BY state"
ERASE_REPLIES_AT = "DELETE FROM outbox WHERE address = ? AND scheduled = 0"
SCHEDULED_AT = "SELECT id, owed FROM outbox WHERE address = ? AND scheduled = 1"
SCHEDULED_ELSEWHERE = "SELECT id, owed FROM outbox WHERE member = ? AND address <> ? AND scheduled = 1 AND state = 'open'"
CLAIMED_AHEAD = "SELECT member, address, owed FROM outbox WHERE id = ? AND scheduled = 1 AND state = 'claimed'"
REDIRECT = "UPDATE outbox SET id = ?, address = ?, owed = ?, message = NULL WHERE id = ?"
REOPEN = "UPDATE outbox SET state = 'open', attempt = attempt - 1, changed = ? WHERE id = ? AND state = 'claimed'"
GIVE_UP_CLAIMS_AT = "UPDATE outbox SET state = 'unknown', changed = ? WHERE address = ? AND state = 'claimed' AND scheduled = 1"
ERASE_ADDRESS = "DELETE FROM addresses WHERE id = ?"

ALL_HISTORY = "SELECT id, member, entry FROM history"
ERASE_ENTRY = "DELETE FROM history WHERE id = ?"

# ---------------------------------------------------------------- diaries

DIARY = "SELECT diary FROM diaries WHERE member = ?"
SAVE_DIARY = """
INSERT INTO diaries (member, look, diary) VALUES (?, ?, ?)
ON CONFLICT (member) DO UPDATE SET look = excluded.look, diary = excluded.diary
"""
LOOK_LATER = "UPDATE diaries SET look = ? WHERE member = ?"
TO_PLAN = "SELECT member FROM diaries WHERE look <= ? ORDER BY look, member LIMIT ?"
NEXT_LOOK = "SELECT MIN(look) FROM diaries WHERE look IS NOT NULL"
LOOK_AT_ONCE = "UPDATE diaries SET look = ? WHERE look > ?"
ZONES = "SELECT version FROM zones"
ERASE_ZONES = "DELETE FROM zones"
NEW_ZONES = "INSERT INTO zones (version) VALUES (?)"

# ---------------------------------------------------------------- inbox

RECEIVE = """
INSERT INTO inbox (id, position, platform, update_digest, sender_digest, state, received, raw)
SELECT ?, COALESCE(MAX(position), 0) + 1, ?, ?, ?, 'waiting', ?, ? FROM inbox WHERE true
ON CONFLICT (update_digest) DO NOTHING
"""
UNHANDLED = "SELECT id, raw FROM inbox WHERE platform = ? AND state = 'waiting' ORDER BY position"
HANDLED = "UPDATE inbox SET state = 'handled', raw = NULL, sender_digest = NULL WHERE id = ?"
SET_ASIDE = "UPDATE inbox SET state = 'set_aside' WHERE id = ? AND state = 'waiting'"
RECEIVED_FROM = "SELECT id, raw FROM inbox WHERE sender_digest = ? AND raw IS NOT NULL ORDER BY position"
ERASE_RECEIVED_FROM = "DELETE FROM inbox WHERE sender_digest = ?"

# ---------------------------------------------------------------- outbox

OWE = """
INSERT INTO outbox
    (id, member, address, position, state, attempt, scheduled, due, until, changed, occurrence_digest, owed, message)
VALUES (?, ?, ?, ?, 'open', 0, ?, ?, ?, ?, ?, ?, NULL)
ON CONFLICT (occurrence_digest) DO NOTHING
"""
OPEN_FOR = "SELECT id FROM outbox WHERE occurrence_digest = ? AND (state = 'open' OR (state = 'skipped' AND attempt = 0))"
PLAN_ANEW = "UPDATE outbox SET state = 'open', due = ?, until = ?, owed = ? WHERE id = ?"
PLANNED = "SELECT count FROM tallies WHERE name = 'planned'"
COUNT_PLANNED = "UPDATE tallies SET count = count + ? WHERE name = 'planned'"

_DELIVERY = """
SELECT o.id, o.member, o.address, o.state, o.attempt, o.due, o.until, o.changed, o.owed, a.platform, a.address, a.place
FROM outbox o JOIN addresses a ON a.id = o.address
"""
DUE = f"""{_DELIVERY}
WHERE o.state = 'open' AND o.scheduled = ? AND o.due <= ? AND a.unreachable IS NULL ORDER BY o.due, o.position
"""
NEXT_PLANNED = "SELECT MIN(due) FROM outbox WHERE state = 'open' AND scheduled = 1"
REPLIES = f"""{_DELIVERY}
WHERE o.state = 'open' AND o.scheduled = 0 AND a.platform = ? AND a.unreachable IS NULL ORDER BY o.position
"""
OF_UNKNOWN_OUTCOME = f"{_DELIVERY} WHERE o.state = 'unknown' AND o.owed IS NOT NULL ORDER BY o.scheduled, o.due, o.position"
MESSAGES = "SELECT id, member, message FROM outbox WHERE address = ? AND message IS NOT NULL ORDER BY position DESC LIMIT ?"
LATEST = """
SELECT o.id, o.member, o.owed, o.message FROM outbox o
WHERE o.address = (SELECT address FROM outbox WHERE id = ?) AND o.message IS NOT NULL ORDER BY o.position DESC LIMIT ?
"""
DELIVERY = f"{_DELIVERY} WHERE o.id = ? AND o.address = ? AND o.owed IS NOT NULL"
OWNER = "SELECT member FROM outbox WHERE id = ?"
DELIVERIES = f"{_DELIVERY} WHERE o.member = ? AND o.owed IS NOT NULL ORDER BY o.position"

CLAIM = """
UPDATE outbox SET state = 'claimed', attempt = attempt + 1, changed = ?, owed = COALESCE(?, owed)
WHERE id = ? AND state = ? AND attempt = ? AND owed IS NOT NULL AND (state <> 'open' OR until IS NULL OR until >= ?)
"""
POSTPONE = "UPDATE outbox SET due = ? WHERE id = ? AND state = 'open'"
LAST_AHEAD = """
SELECT MAX(changed) FROM outbox WHERE member = ? AND id <> ? AND scheduled = 1 AND state IN ('claimed', 'sent', 'unknown')
"""
WENT_OUT = "SELECT 1 FROM outbox WHERE occurrence_digest = ? AND state IN ('claimed', 'sent', 'unknown')"
STAND_ALONE = "UPDATE outbox SET owed = ?, attempt = 1 WHERE id = ? AND state = 'claimed' AND attempt = ?"
RELEASE = """
UPDATE outbox SET state = 'open', attempt = attempt - 1, due = ?, changed = ?
WHERE id = ? AND state IN ('claimed', 'unknown') AND attempt = ?
"""
SENT = "UPDATE outbox SET state = 'sent', changed = ?, message = ? WHERE id = ? AND state IN ('claimed', 'unknown')"
UNKNOWN = "UPDATE outbox SET state = 'unknown', changed = ? WHERE id = ? AND state IN ('claimed', 'unknown')"
SKIP = "UPDATE outbox SET state = 'skipped', changed = ? WHERE id = ? AND state IN ('open', 'claimed')"
DROP = "UPDATE outbox SET state = 'dropped', changed = ? WHERE id = ? AND state IN ('open', 'claimed', 'unknown')"
CLAIMS_UNKNOWN = """
UPDATE outbox SET state = 'unknown', changed = ?
WHERE state = 'claimed' AND EXISTS (SELECT 1 FROM addresses a WHERE a.id = outbox.address AND a.platform = ?)
"""
ALL_DUE_UNKNOWN = "UPDATE outbox SET state = 'unknown', attempt = attempt + 1 WHERE state = 'open' AND due <= ?"
# What is not due yet is not late: of everything that is planned ahead, only what is due has to be looked at.
SKIP_LATE = """
UPDATE outbox SET state = 'skipped', changed = ? WHERE state = 'open' AND scheduled = 1 AND due <= ? AND until < ?
"""
SKIP_IF_LATE = "UPDATE outbox SET state = 'skipped', changed = ? WHERE id = ? AND state = 'open' AND until < ?"

TALLIES = "SELECT name, count FROM tallies"
STATES = "SELECT state, COUNT(*) FROM outbox GROUP BY state"
STATES_OF_MEMBER = "SELECT state, COUNT(*) FROM outbox WHERE member = ? GROUP BY state"
COUNT_GONE = "UPDATE tallies SET count = count + ? WHERE name = ?"

# ---------------------------------------------------------------- clubs

CLUBS = "SELECT member, club FROM clubs ORDER BY rowid"
CLUB_OWNER = "SELECT member FROM clubs WHERE chat_digest = ?"
SAVE_CLUB = """
INSERT INTO clubs (member, chat_digest, club) VALUES (?, ?, ?)
ON CONFLICT (member) DO UPDATE SET chat_digest = excluded.chat_digest, club = excluded.club
"""
MOVE_CLUB = "UPDATE clubs SET chat_digest = ? WHERE member = ?"
SKIP_OPEN_OF = "UPDATE outbox SET state = 'skipped', changed = ? WHERE member = ? AND state = 'open'"

# ---------------------------------------------------------------- sendings

SENDING = "SELECT alive, since, until FROM sendings WHERE platform = ?"
KEEP_SENDING = """
INSERT INTO sendings (platform, alive, since, until) VALUES (?, ?, ?, ?)
ON CONFLICT (platform) DO UPDATE SET alive = excluded.alive, since = excluded.since, until = excluded.until
"""
ERASE_SENDINGS = "DELETE FROM sendings"

# ---------------------------------------------------------------- erasure

ABOUT_MEMBERS = (
    *("outbox", "sessions", "history", "consents", "settings", "diaries", "links", "clubs"),
    *("addresses", "receipts", "former_members"),
)
COUNT_ROWS = {table: f"SELECT COUNT(*) FROM {table} WHERE member = ?" for table in ABOUT_MEMBERS}  # noqa: S608 - our names
ERASE_ROWS = {table: f"DELETE FROM {table} WHERE member = ?" for table in ABOUT_MEMBERS}  # noqa: S608 - our names
COUNT_KEY = "SELECT COUNT(*) FROM keys WHERE owner = ?"
COUNT_MEMBER = "SELECT COUNT(*) FROM members WHERE id = ?"
COUNT_RECEIVED_FROM = "SELECT COUNT(*) FROM inbox WHERE sender_digest = ?"
ERASE_MEMBER = "DELETE FROM members WHERE id = ?"
WITHOUT_KEY = "SELECT id FROM members WHERE NOT EXISTS (SELECT 1 FROM keys WHERE keys.owner = members.id) LIMIT ?"
MEMBERS_WITHOUT_KEY = "SELECT COUNT(*) FROM members WHERE NOT EXISTS (SELECT 1 FROM keys WHERE keys.owner = members.id)"
MEMBERS = "SELECT COUNT(*) FROM members"
ABOUT_NOBODY = ("house", "keys", "tallies", "zones", "sendings")

# ---------------------------------------------------------------- retention, a chunk at a time

OLD_SESSIONS = "SELECT address, member FROM sessions WHERE touched < ? LIMIT ?"
OLD_REPLIES = "SELECT id FROM outbox WHERE state = 'open' AND scheduled = 0 AND due < ? LIMIT ?"
OLD_CLAIMS = "SELECT id FROM outbox WHERE state = 'claimed' AND changed < ? LIMIT ?"
OLD_CONTENT = """
SELECT id FROM outbox
WHERE changed < ? AND owed IS NOT NULL AND state IN ('sent', 'unknown', 'skipped', 'dropped')
    AND (state <> 'unknown' OR until IS NULL OR until < ?)
LIMIT ?
"""
EMPTY = "UPDATE outbox SET owed = NULL, message = NULL WHERE id = ?"
OLD_DELIVERIES = """
SELECT id, member, state FROM outbox
WHERE changed < ? AND owed IS NULL AND state IN ('sent', 'unknown', 'skipped', 'dropped')
    AND (occurrence_digest IS NULL OR COALESCE(until, changed) < ?)
LIMIT ?
"""
ERASE_DELIVERY = "DELETE FROM outbox WHERE id = ?"
OLD_LINKS = """
SELECT l.id, l.member, a.member FROM links l LEFT JOIN addresses a ON a.id = l.joiner WHERE l.until <= ? LIMIT ?
"""
ERASE_LINK = "DELETE FROM links WHERE id = ?"
OLD_FORMER = "SELECT id FROM former_members WHERE joined < ? LIMIT ?"
ERASE_FORMER = "DELETE FROM former_members WHERE id = ?"
OLD_RECEIVED = "SELECT id FROM inbox WHERE received < ? LIMIT ?"
ERASE_RECEIVED = "DELETE FROM inbox WHERE id = ?"
OF_CLUBS = ("clubs",)
"""What a club has rows in, which is kept as a member is."""
KEEPING = tuple(table for table in ABOUT_MEMBERS if table not in ("addresses", "receipts", "former_members"))
_WAITING_TO_JOIN = "SELECT 1 FROM addresses a JOIN links l ON l.joiner = a.id WHERE a.member = ?"
KEPT_ABOUT = " UNION ALL ".join((*(f"SELECT 1 FROM {table} WHERE member = ?" for table in KEEPING), _WAITING_TO_JOIN))  # noqa: S608 - our names

# ---------------------------------------------------------------- health

CHECKS_SINCE = "SELECT COUNT(*) FROM sessions WHERE touched >= ?"
CHECKS_BEFORE = "SELECT COUNT(*) FROM sessions WHERE touched < ?"
RECEIVED_AS = "SELECT COUNT(*) FROM inbox WHERE state = ?"
NEWEST = """
SELECT MAX(time) FROM (
    SELECT MAX(touched) AS time FROM sessions
    UNION ALL SELECT MAX(received) FROM inbox
    UNION ALL SELECT MAX(changed) FROM outbox
) times
"""

# ---------------------------------------------------------------- SQLite's own

SCHEMA_COLUMNS = """
SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid
"""
TABLES = "SELECT COUNT(*) FROM sqlite_master"
QUICK_CHECK = "PRAGMA quick_check(1)"
INTEGRITY_CHECK = "PRAGMA integrity_check(10)"
FOREIGN_KEY_CHECK = "PRAGMA foreign_key_check"
CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"
SCHEMA_VERSION = "PRAGMA user_version"
SET_SCHEMA_VERSION = "PRAGMA user_version = {}"
ON_OPENING = (
    # How long to wait for a program that reads the file, such as a backup.
    "PRAGMA busy_timeout = 5000",
    # An acknowledged turn survives a power cut.
    "PRAGMA synchronous = FULL",
    # Erased is erased: freed bytes are overwritten with zeros.
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)
USE_WAL = "PRAGMA journal_mode = WAL"
USE_ONE_FILE = "PRAGMA journal_mode = DELETE"
# A copy is flushed as a whole once it is done.
FLUSH_LATER = "PRAGMA synchronous = OFF"
ATTACH_OLD = "ATTACH ? AS old"
OLD_SCHEMA_VERSION = "PRAGMA old.user_version"
OLD_TABLES = "SELECT name FROM old.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
ONLY_IN_OLD = "SELECT EXISTS (SELECT * FROM old.{0} EXCEPT SELECT * FROM main.{0})"
# A reader's view of one moment begins with its first read.
LOOK = "SELECT COUNT(*) FROM sqlite_master"
