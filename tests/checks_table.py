"""Every check that keeps one member's from another, holds to what was agreed, or keeps what is kept sealed.

Each names the code that is the check, what the code is without it, and the test that fails then. tests/test_checks_table.py
takes each of them out. A new check of these kinds gets a row here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One check."""

    file: str
    code: str
    """The check, as it stands in the file: once, or once where something is written and once where it is read."""
    without: str
    """The same code without it."""
    test: str
    """The test that fails without it."""


def _checks(tests: str, *rows: tuple[str, str, str, str]) -> tuple[Check, ...]:
    return tuple(Check(file, code, without, f"tests/test_{tests}.py::{test}") for file, code, without, test in rows)


ADVANCE, COMPANION = "core/dialogue/advance.py", "core/companion.py"
OWNERSHIP, VAULT, LOGS, KEY_FILE = "core/ownership.py", "core/vault.py", "bots/logs.py", "bots/key_file.py"
SQL, STORE, MEMBERS = "core/storage/sql.py", "core/storage/store.py", "core/storage/members.py"
LINKS, LINKING, MERGING = "core/storage/links.py", "core/linking.py", "core/storage/merging.py"
OPENING, OUTBOX, ERASURE = "core/storage/opening.py", "core/storage/outbox.py", "core/storage/erasure.py"

WHOSE = (
    *_checks(
        "coaching",
        (
            "core/coaching/answering.py",
            "        if token.step != asking.step:\n",
            "        if False:\n",
            "test_a_button_from_before_going_back_changes_nothing",
        ),
    ),
    *_checks(
        "followups",
        (
            "core/coaching/following.py",
            "        if token.step != self._follow_up.step:\n",
            "        if False:\n",
            "test_either_copy_closes_both_and_a_late_one_changes_nothing",
        ),
    ),
    *_checks(
        "tokens",
        (
            ADVANCE,
            "if token.thread != check.session.id:",
            "if False:",
            "test_a_button_of_another_member_at_the_same_step_changes_nothing_for_either",
        ),
        (ADVANCE, "if token.step != check.session.step or", "if", "test_done_pressed_twice_answers_one_question"),
        (
            ADVANCE,
            "token.version != short_version(check.session.version):",
            "False:",
            "test_a_button_with_another_version_check_or_step_changes_nothing",
        ),
        (
            "core/dialogue/token.py",
            "if not found:",
            'if not found and text.count(".") != 3:',
            "test_any_text_as_a_button_is_answered_politely_and_changes_nothing",
        ),
    ),
    *_checks(
        "vault",
        (
            VAULT,
            'f"platform id|{platform}|{id}"',
            'f"platform id|{id}"',
            "test_a_platform_id_is_found_again_and_only_under_its_platform_and_key",
        ),
        (
            VAULT,
            "hmac.digest(self.secret,",
            'hmac.digest(b"",',
            "test_a_platform_id_is_found_again_and_only_under_its_platform_and_key",
        ),
        (
            VAULT,
            "        _must_match(NAME, platform=platform)\n",
            "",
            "test_a_platform_whose_name_could_run_into_the_id_is_refused",
        ),
    ),
    *_checks(
        "storage",
        (
            STORE,
            "return (at or members.join(book, member, address)).member == member",
            'return (at or members.join(book, member, address)).member != ""',
            "test_an_address_stays_with_its_member",
        ),
        (
            SQL,
            'SESSION = "SELECT address, session FROM sessions WHERE member = ?',
            'SESSION = "SELECT address, session FROM sessions WHERE ? IS NOT NULL',
            "test_a_member_may_have_two_addresses_and_has_one_check_behind_both",
        ),
        (
            "core/storage/lock.py",
            "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)",
            "fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)",
            "test_a_second_process_is_refused_and_may_start_after_the_first",
        ),
        (
            ERASURE,
            "    erase_received(book, member)\n    erase_rows",
            "    erase_rows",
            "test_a_forgotten_member_leaves_no_byte",
        ),
    ),
    *_checks(
        "ownership",
        (
            SQL,
            'ERASE_ROWS = {table: f"DELETE FROM {table} WHERE member = ?"',
            'ERASE_ROWS = {table: f"DELETE FROM {table} WHERE ? IS NOT NULL"',
            "test_forgetting_one_member_leaves_the_others",
        ),
    ),
    *_checks(
        "ledger",
        (
            SQL,
            "FROM outbox WHERE address = ? AND message IS NOT NULL",
            "FROM outbox WHERE ? IS NOT NULL AND message IS NOT NULL",
            "test_the_messages_of_an_address_are_not_anothers",
        ),
        (
            MEMBERS,
            "if at is None or door(book, new) is not None:",
            "if at is None:",
            "test_an_address_of_another_member_is_not_taken_over",
        ),
        (
            SQL,
            "WHERE o.state = 'open' AND o.scheduled = ? AND o.due <= ? AND a.unreachable IS NULL",
            "WHERE o.state = 'open' AND o.scheduled = ? AND o.due <= ?",
            "test_nothing_is_due_where_nothing_can_be_sent_until_its_member_writes",
        ),
    ),
    *_checks(
        "receipts",
        (
            "core/storage/receipts.py",
            'nowhere = book.lookup.of("receipt", row)',
            "nowhere = book.lookup.of(address.platform, address.id)",
            "test_whoever_writes_again_meanwhile_is_a_new_member_with_an_address_of_their_own",
        ),
        (
            OUTBOX,
            "    if member is None:  # erased while it was under way\n        return False\n",
            "",
            "test_what_is_being_sent_while_its_member_is_erased_has_no_outcome_to_note",
        ),
    ),
    *_checks(
        "link",
        (
            SQL,
            'LINK_OF = "SELECT id, until, joiner FROM links WHERE address = ?"',
            'LINK_OF = "SELECT id, until, joiner FROM links WHERE ? IS NOT NULL"',
            "test_nobody_elses_yes_counts",
        ),
        (LINKS, " or waiting.link[:KEY] != confirm.link:", ":", "test_a_yes_to_an_earlier_question_is_none_to_a_later_one"),
        (LINKS, " or found[1] <= minute(now) or", " or", "test_a_question_is_over_ten_minutes_after_it_was_put"),
        (LINKS, "    if not confirm.yes:\n", "    if False:\n", "test_a_no_joins_nobody_and_the_other_side_is_told"),
        (LINKS, "    if maker == at.row:\n", "    if False:\n", "test_a_code_is_not_typed_where_it_was_made"),
        (
            LINKS,
            "    if until <= minute(now) or place is None:",
            "    if place is None:",
            "test_a_code_is_over_after_ten_minutes",
        ),
        (LINKS, "    if joiner is not None:\n", "    if False:\n", "test_a_code_works_once"),
        (LINKS, "    book.run(sql.ERASE_LINK, waiting.link)\n", "", "test_a_yes_after_a_no_does_nothing"),
        (
            LINKING,
            "        if not self._tries.takes(address, self._now()):\n",
            "        if False:\n",
            "test_an_address_has_five_tries_an_hour_and_a_sixth_right_one_is_refused",
        ),
        (
            LINKING,
            'case "unlink" if token.arg and not is_over(token, self._now()):',
            'case "unlink" if token.arg:',
            "test_an_old_button_parts_nobody",
        ),
        (
            SQL,
            'ADDRESS_ROWS = "SELECT id FROM addresses WHERE member = ?',
            'ADDRESS_ROWS = "SELECT id FROM addresses WHERE ? IS NOT NULL',
            "test_a_button_takes_out_no_address_of_another_member",
        ),
        (
            "core/storage/reaching.py",
            "        row, owed = fresh_id(), ",
            "        row, owed = old, ",
            "test_what_was_owed_as_a_reply_goes_and_what_was_planned_goes_elsewhere",
        ),
        (
            COMPANION,
            "        if not record.linked or record.member is None:\n",
            "        if True:\n",
            "test_two_sides_at_the_same_moment_answer_one_question_once",
        ),
        (
            STORE,
            "        if change.member not in (None, at.member):\n",
            "        if False:\n",
            "test_a_turn_that_was_overtaken_by_a_link_is_made_again",
        ),
        (
            OUTBOX,
            "    return None if found is None else str(found[0])\n",
            "    return None\n",
            "test_what_is_owed_to_the_moved_address_moves_along_and_is_sent_once",
        ),
        (
            STORE,
            "for id in (member, *(id for id, _ in links.former(book, member))):",
            "for id in (member,):",
            "test_forget_from_either_erases_both_and_only_there_is_a_receipt",
        ),
        (
            MERGING,
            "    erase_rows(book, newer)\n",
            "",
            "test_nothing_is_left_of_the_newer_member_but_that_they_were_one",
        ),
    ),
    *_checks(
        "club",
        (
            "core/organising/organiser.py",
            "        if standing is Standing.STRANGER:\n",
            "        if False:\n",
            "test_who_is_not_there_or_cannot_be_told_sees_nothing",
        ),
        (
            "core/organising/organiser.py",
            "if known is not None or chat.standing is not Standing.ORGANISER or",
            "if known is not None or",
            "test_nobody_else_does",
        ),
        (
            "core/organising/organiser.py",
            '            return self._shown(at, self._words("club", "organisers_only"))\n        if line',
            "            pass\n        if line",
            "test_that_they_organise_is_asked_at_each_use",
        ),
        (
            "core/organising/organiser.py",
            '            return self._shown(at, self._words("club", "organisers_only"))\n        if not at.club.zone',
            "            pass\n        if not at.club.zone",
            "test_that_they_organise_is_asked_at_each_use",
        ),
        (
            "core/organising/organiser.py",
            'case Token(act="post" | "end" | "endyes") if at.standing is not Standing.ORGANISER:',
            'case Token(act="post" | "end" | "endyes") if False:',
            "test_that_they_organise_is_asked_at_each_use",
        ),
    ),
    *_checks(
        "discord_clubs",
        (
            "bots/discord/interactions.py",
            "Standing.ORGANISER if _rights(given.member.permissions) & ORGANISES else Standing.MEMBER",
            "Standing.ORGANISER",
            "test_nobody_else_changes_anything",
        ),
        (
            "bots/discord/adapter.py",
            "if at is not None and at.standing is Standing.ORGANISER:",
            "if at is not None:",
            "test_nothing_is_fetched_for_who_may_not_change_anything",
        ),
    ),
)
"""What is one member's never reaches, and never changes for, another."""

AGREED = (
    *_checks(
        "discord_clubs",
        (
            "core/organising/organiser.py",
            """        if not self._agreed(at):
            return self._opt_in(at, "opt_in_first")
""",
            "",
            "test_who_presses_and_has_not_agreed_is_asked_first_and_no_child_ever",
        ),
    ),
    *_checks(
        "planning",
        (
            "core/planning.py",
            "if due is None or not self._may_write(record, diary, occasion):",
            "if due is None:",
            "test_what_was_agreed_to_is_judged_anew_as_it_is_sent",
        ),
    ),
    *_checks(
        "club",
        (
            "core/organising/organiser.py",
            '        if not self._agreed(at):\n            return self._opt_in(at, "opt_in")',
            '        if False:\n            return self._opt_in(at, "opt_in")',
            "test_a_run_is_followed_only_by_someone_who_wants_to_be_asked",
        ),
    ),
    *_checks(
        "arranging",
        (
            "core/coaching/agreeing.py",
            "        if age is Age.UNDER_16:\n",
            "        if False:\n",
            "test_under_16_there_are_none_and_nothing_is_kept",
        ),
        (
            "core/coaching/agreeing.py",
            " or token.version != self._version or self.settings.agreed_to(kind):",
            " or self.settings.agreed_to(kind):",
            "test_a_yes_to_a_text_that_has_changed_shows_the_text_of_now",
        ),
        (
            "core/coaching/coach.py",
            "return self._asked_where(self._telling.ran(rest)) if agreed else",
            "return self._asked_where(self._telling.ran(rest)) if True else",
            "test_without_a_yes_no_run_is_kept",
        ),
        (
            "core/coaching/telling.py",
            "if diary.age is not Age.UNDER_18:",
            "if True:",
            "test_of_someone_under_18_no_runs_are_kept",
        ),
        (
            "core/coaching/telling.py",
            "() if young else",
            "() if False else",
            "test_of_someone_under_18_no_answers_are_kept_for_it",
        ),
    ),
    *_checks(
        "coaching",
        (
            "core/checkins.py",
            "if diary.age is not Age.UNDER_18:",
            "if True:",
            "test_of_someone_under_18_only_the_open_one_is_kept",
        ),
    ),
    *_checks(
        "ownership",
        (
            "core/consents.py",
            ' and last["text_hash"] == _hash(words, kind)',
            "",
            "test_a_yes_to_an_older_text_is_no_yes_to_the_new_one",
        ),
        (
            "core/consents.py",
            'bool(last["given"])',
            "True",
            "test_a_result_is_not_kept_after_the_consent_was_withdrawn",
        ),
        (OWNERSHIP, ' or not self._agreed(record, "history")', "", "test_without_consent_no_result_is_kept_longer"),
        (
            OWNERSHIP,
            'not self._agreed(record, "history") or self._under_18(session):',
            'not self._agreed(record, "history"):',
            "test_no_history_is_kept_of_someone_under_18",
        ),
        (
            OWNERSHIP,
            "        if self._barred(kind, session):\n",
            "        if False:\n",
            "test_someone_under_18_is_not_asked_for_it",
        ),
        (
            OWNERSHIP,
            "if self._barred(kind, session) or token.version",
            "if token.version",
            "test_someone_under_18_cannot_agree_to_it_with_an_old_button",
        ),
        (
            OWNERSHIP,
            " or token.version != self._version or",
            " or",
            "test_a_yes_below_an_older_text_is_asked_again",
        ),
        (
            OWNERSHIP,
            "(minute_of(now) - token.step) % 100_000 > CONFIRM_WITHIN",
            "False",
            "test_an_old_yes_erases_nothing",
        ),
        (
            OWNERSHIP,
            'if token.arg not in ("yes", "messages"):',
            "if False:",
            "test_forget_asks_first_and_no_keeps",
        ),
        (OWNERSHIP, 'forget_history=kind == "history"', "forget_history=False", "test_withdrawing_erases_the_history"),
        (
            COMPANION,
            "if _stops(asked.inbound, turn):",
            "if False:",
            "test_stop_takes_back_what_lets_the_bot_write_first",
        ),
        (
            "core/storage/retention.py",
            'datetime.fromisoformat(entry["time"]) < oldest',
            "False",
            "test_a_result_is_erased_after_a_year",
        ),
    ),
    *_checks(
        "enduring",
        (
            "core/enduring.py",
            "forget_history=change.forget_history or left.forget_history,",
            "forget_history=change.forget_history,",
            "test_a_history_that_was_withdrawn_in_memory_is_erased_once_that_can_be_done",
        ),
        (
            "core/enduring.py",
            "            consents=(*since.consents, *change.consents),\n",
            "",
            "test_consents_given_in_memory_are_kept_with_the_next_turn",
        ),
    ),
    *_checks(
        "link",
        (
            OWNERSHIP,
            "if self._agreed(older, kind) != self._agreed(newer, kind)]",
            "if False]",
            "test_only_what_both_agreed_to_goes_on_and_both_are_told",
        ),
        (
            OWNERSHIP,
            'both = self._agreed(older, "history") and self._agreed(newer, "history")',
            "both = True",
            "test_a_history_that_only_one_agreed_to_is_erased_and_both_are_told",
        ),
        (
            MERGING,
            '(book.run(sql.ERASE_ROWS["history"], older) if agreed.ends else 0)',
            "0",
            "test_a_history_that_only_one_agreed_to_is_erased_and_both_are_told",
        ),
        (
            SQL,
            "WHERE member = ? AND unreachable IS NULL ORDER BY used DESC, id LIMIT 1",
            "WHERE member = ? ORDER BY used DESC, id LIMIT 1",
            "test_where_that_cannot_be_reached_it_goes_to_the_other_as_the_same_occurrence",
        ),
        (
            "core/storage/reaching.py",
            "    if book.run(sql.USED, address):\n",
            "    if False:\n",
            "test_what_is_planned_goes_to_the_address_used_last",
        ),
    ),
)
"""Nothing is kept, sent or erased but as its member agreed to, or asked for."""

SEALED = (
    *_checks(
        "vault",
        (VAULT, "{place.table}|{place.column}|", "{place.column}|", "test_a_value_is_bound_to_each_part_of_its_place"),
        (VAULT, "|{place.column}|", "|", "test_a_value_is_bound_to_each_part_of_its_place"),
        (VAULT, "|{place.member}|", "|", "test_a_value_is_bound_to_each_part_of_its_place"),
        (VAULT, "|{place.row}|", "|", "test_a_value_is_bound_to_each_part_of_its_place"),
        (
            VAULT,
            "|{self.id}",
            "",
            "test_another_data_key_opens_nothing_even_under_the_same_id_or_secret",
        ),
        (VAULT, 'f"data key|{member}"', '"data key"', "test_a_data_key_unwraps_for_its_member_only"),
        (VAULT, 'f"{purpose}|{key.id}"', "purpose", "test_a_wrapped_key_is_bound_to_the_ring_key_it_names"),
        (VAULT, 'f"{purpose}|{key.id}"', "key.id", "test_keys_of_different_purposes_do_not_pass_for_each_other"),
        (VAULT, "    _must_be_whole(self.secret)\n        object", "    object", "test_no_key_is_ever_short_or_long"),
        (
            VAULT,
            '"""The key that seals what is one member\'s."""\n\n    id: str\n    secret: bytes = field(repr=False)',
            '"""The key that seals what is one member\'s."""\n\n    id: str\n    secret: bytes',
            "test_no_key_shows_its_secret",
        ),
        (VAULT, 'f"key check|{key.id}"', '"key check"', "test_the_key_check_opens_with_any_ring_that_holds_its_key"),
    ),
    *_checks(
        "damage",
        (
            VAULT,
            "if not isinstance(sealed, bytes):",
            "if False:",
            "test_a_check_that_cannot_be_opened_is_refused_and_counted_and_its_member_starts_over",
        ),
        (
            COMPANION,
            'return (self._safe("damaged"),) if lost else ()',
            "return ()",
            "test_whatever_is_sent_first_is_answered_with_that_the_check_is_gone",
        ),
        (
            OPENING,
            "    check_own_key(db, path, keys, house[0])\n",
            "",
            "test_a_store_that_could_take_nothing_in_is_refused",
        ),
    ),
    *_checks(
        "storage",
        (
            OPENING,
            "    if version(db):\n        known_house(db, path, ring)\n",
            "",
            "test_a_wrong_key_is_found_before_anything_is_written",
        ),
        (
            OPENING,
            "            ring.unwrap(Wrapped(ring_key, blob), owner)\n",
            "            pass\n",
            "test_a_wrong_key_under_the_name_of_one_that_was_used_is_refused",
        ),
        (
            MEMBERS,
            'book.seal("addresses.address", member, row, address.id)',
            "address.id.encode()",
            "test_nothing_personal_can_be_read_from_the_files",
        ),
        (
            MEMBERS,
            'book.seal("sessions.session", at.member, at.row, session)',
            "str(session).encode()",
            "test_nothing_personal_can_be_read_from_the_files",
        ),
        (
            "core/storage/inbox.py",
            'book.seal_bytes("inbox.raw", book.house, row, raw)',
            "raw",
            "test_nothing_personal_can_be_read_from_the_files",
        ),
        (
            OUTBOX,
            'book.seal("outbox.message", member, delivery.id, message)',
            "message.encode()",
            "test_nothing_personal_can_be_read_from_the_files",
        ),
        (
            "core/storage/inbox.py",
            'book.lookup.of("update", f"{platform}|{update_id}")',
            'f"{platform}|{update_id}".encode()',
            "test_nothing_personal_can_be_read_from_the_files",
        ),
        (
            SQL,
            "state = 'handled', raw = NULL, sender_digest = NULL",
            "state = 'handled'",
            "test_a_handled_update_leaves_nothing_but_that_it_came",
        ),
        (
            STORE,
            "emptied = await self._ask(Writer.alone, erasure.empty_log)",
            "emptied = True",
            "test_a_forgotten_member_leaves_no_byte",
        ),
        (
            OPENING,
            "    db.execute(sql.CHECKPOINT).fetchone()\n",
            "",
            "test_forgetting_that_was_killed_before_the_log_was_emptied_leaves_no_byte_after_the_next_start",
        ),
        (
            OPENING,
            "os.O_RDWR | os.O_CREAT, 0o600",
            "os.O_RDWR | os.O_CREAT, 0o666",
            "test_a_new_database_is_for_this_user_only",
        ),
    ),
    *_checks(
        "migrations",
        (SQL, '"PRAGMA secure_delete = ON"', '"PRAGMA secure_delete = OFF"', "test_the_connection_is_as_safe_as_it_says"),
        (
            "core/storage/columns.py",
            "if column not in COLUMNS.get(table, {})",
            "if False",
            "test_an_undeclared_column_is_found",
        ),
        (
            "core/storage/migrations/0003_unreachable.sql",
            "ADD COLUMN unreachable TEXT;",
            "ADD COLUMN unreachable TEXT;\nALTER TABLE addresses ADD COLUMN nickname TEXT;",
            "test_every_column_is_declared_and_every_declared_one_exists",
        ),
    ),
    *_checks(
        "link",
        (
            LINKS,
            'return book.lookup.of("link", code)',
            "return code.encode()",
            "test_nothing_of_a_code_is_in_the_files_or_in_a_log",
        ),
        (
            STORE,
            "        if isinstance(outcomes[0], link.Joined | link.Parted):\n            await self._empty_log()\n",
            "",
            "test_no_byte_of_what_was_not_taken_along_is_left",
        ),
    ),
    *_checks(
        "erased",
        (
            STORE,
            "                    self._erased.add(id, now)\n",
            "                    pass\n",
            "test_a_member_is_on_the_list_before_they_are_erased",
        ),
    ),
    *_checks(
        "restore",
        (
            "core/storage/restore.py",
            "again = [member for member in listed.members if book.count(sql.COUNT_MEMBER, member)]",
            "again: list[str] = []",
            "test_a_member_who_was_erased_since_does_not_come_back_and_no_byte_opens",
        ),
    ),
    *_checks(
        "keys",
        (KEY_FILE, "st_mode & OTHERS", "st_mode & 0", "test_a_file_that_others_may_use_is_refused"),
        (KEY_FILE, "        _must_be_apart(file, database, backups)\n", "", "test_a_file_in_the_databases_folder_is_refused"),
        (
            KEY_FILE,
            "    if database_exists:\n        raise SettingsError(lost(file, database))\n",
            "",
            "test_a_database_without_its_key_is_refused_and_no_key_is_made",
        ),
        (
            "core/storage/files.py",
            "OWNER_ONLY = 0o600",
            "OWNER_ONLY = 0o644",
            "test_with_a_terminal_and_no_database_a_key_file_is_made",
        ),
    ),
    *_checks(
        "logs",
        (LOGS, "        if _is_event(record):\n", "        if True:\n", "test_no_canary_of_a_full_conversation_is_logged"),
        (
            LOGS,
            "return redact(super().format(record))",
            "return super().format(record)",
            "test_a_formatter_that_lets_everything_through_is_still_redacted",
        ),
        (LOGS, "        library.setLevel(logging.WARNING)\n", "", "test_no_other_handler_hears_a_library_below_warning"),
        (
            LOGS,
            "    if found:\n        raise SettingsError(",
            "    if False:\n        raise SettingsError(",
            "test_a_secret_on_the_command_line_is_refused_without_repeating_it",
        ),
    ),
)
"""Whoever has the files, the logs or half of the keys learns nothing, and nothing that was moved or forged passes for true."""

CHECKS = (*WHOSE, *AGREED, *SEALED)
