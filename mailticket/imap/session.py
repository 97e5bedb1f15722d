"""One mailbox of one IMAP server, as the daemon uses it. One thread at a time; a Waker is for all threads."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError, ProtocolError
from imapclient.imap_utf7 import encode as encode_utf7

from mailticket.connecting import Renewable
from mailticket.consent.refusals import STALE
from mailticket.errors import CommandRefused, MailboxUnavailable, MailticketError, SignInRefused
from mailticket.imap import responses
from mailticket.imap.idle import Waker, idle
from mailticket.imap.responses import Fetched, Folder, Listed, Missing
from mailticket.imap.signin import must_be_let_in, open_connection, sign_in
from mailticket.imap.trouble import TROUBLE, why
from mailticket.imap.wire import MIB, Client, quoted
from mailticket.settings import SPECIAL_SENT, Mailbox

_MAILS_A_FETCH, _BYTES_A_FETCH = 50, 4 * MIB
_UIDS_A_COMMAND = 400  # keeps a command line under the 8,192 bytes of RFC 7162 section 4, whatever the UIDs
_LONGEST_LIST = 16 * MIB  # a SEARCH response: about 1.5 million UIDs
_HEAD_BYTES = 256 * 1024
_MOST_NAMES = 30  # of folders that a sentence lists


class Inbox:
    """The IMAP side of one `[[mailbox]]`.

    Every method raises MailboxUnavailable, or its kinds SignInRefused and CommandRefused, and nothing else. After
    anything but CommandRefused the connection is closed already; `connect` and `select` begin anew.
    """

    def __init__(
        self, mailbox: Mailbox, secret: str | Callable[[], str], on_progress: Callable[[], None] = lambda: None
    ) -> None:
        """`secret` is the password or the OAuth2 token; a callable is asked again at each `connect`.

        `on_progress` is called whenever bytes have come from the server; after it, at most the mailbox's
        timeout_seconds pass before it is called again or the command ends.
        """
        self.mailbox = mailbox
        self._secret = secret
        self._on_progress = on_progress
        self._client: Client | None = None
        self._folder: Folder | None = None

    @property
    def can_idle(self) -> bool:
        """Whether the connected server offers IDLE. Where it does not, wait with `Waker.wait`."""
        return self._client is not None and bool(self._client.has_capability("IDLE"))

    def connect(self) -> None:
        """Connect, make TLS sure, sign in, and send our ID. A connection that was there is dropped first."""
        secret = self._secret_now()
        try:
            self._enter(secret)
        except SignInRefused as error:
            renewable = self._secret if error.code in STALE and isinstance(self._secret, Renewable) else None
            if renewable is None or not renewable.renew(secret):
                raise
            self._enter(self._secret_now())

    def _secret_now(self) -> str:
        try:
            return self._secret() if callable(self._secret) else self._secret
        except SignInRefused:
            raise
        except MailticketError as error:
            raise MailboxUnavailable(str(error)) from error

    def _enter(self, secret: str) -> None:
        self.drop()
        try:
            with self._translated("connect"):
                self._client = open_connection(self.mailbox)
            with self._translated("sign in"):
                self._client.wire.on_progress = self._on_progress
                self._client.wire.allow()
                sign_in(self._client, self.mailbox, secret)
        except CommandRefused as refused:  # no to the very first words is no connection
            self.drop()
            raise MailboxUnavailable(str(refused)) from refused

    def select(self, folder: str = "") -> Folder:
        """Open the mailbox's folder, or another; read-only where the server gives no more.

        The folder that the server marks as the one for sent mail is looked up first, where that is asked for.
        """
        name = folder or self.mailbox.folder
        if name == SPECIAL_SENT:
            name = sent_folder(self._listed_folders())
        with self._asking(f"open the folder {name}") as client:
            try:
                response = client.select_folder(_folder_name(name))
            except IMAPClientReadOnlyError:
                response = client.select_folder(name, readonly=True)
            except IMAPClientError as error:
                must_be_let_in(self.mailbox, error)
                raise
            if not isinstance(response.get(b"UIDVALIDITY"), int):
                raise ProtocolError("the server gives no UIDVALIDITY, so no mail there can be told from another")
            lasting = response.get(b"PERMANENTFLAGS")
            read_only = client.wire.is_readonly or lasting == ()
            self._folder = Folder(
                response[b"UIDVALIDITY"], response.get(b"UIDNEXT"), response[b"EXISTS"], read_only,
                b"\\*" in (lasting or ()), name,
            )  # fmt: skip
        return self._folder

    def folders(self) -> list[str]:
        """The names of all folders of the account, to help a person who misspelt one."""
        with self._asking("list the folders") as client:
            return [str(name) for _, _, name in client.list_folders()]

    def _listed_folders(self) -> list[tuple[frozenset[str], str]]:
        """All folders with their attributes, lowercased; with those of special use, which some servers (RFC 6154
        section 5) name only when asked."""
        with self._asking("list the folders", response=_LONGEST_LIST) as client:
            if client.has_capability("LIST-EXTENDED") and client.has_capability("SPECIAL-USE"):
                typ, data = client.wire.list_with_special_use()
                if typ == "OK":
                    return [(_attributes(flags), name) for flags, _, name in client._proc_folder_list(data)]
            return [(_attributes(flags), str(name)) for flags, _, name in client.list_folders()]

    def list_new(self, after_uid: int) -> list[int]:
        """The UIDs above `after_uid` that the server lists, ascending. EXISTS told before this is settled by it."""
        lowest = max(0, after_uid) + 1
        if lowest > responses.HIGHEST_UID:
            return []
        new_uids: set[int] = set()
        for _ in range(2):
            with self._asking("list new mail", line=_LONGEST_LIST, response=_LONGEST_LIST + MIB) as client:
                client.wire.untagged_responses.pop("EXISTS", None)
                new_uids = responses.search_uids(client.wire.by_uid("SEARCH", f"UID {lowest}:*"))
                # Dovecot searches what it knew before the command and tells what has come after the response.
                if "EXISTS" not in client.wire.untagged_responses:
                    break
        # "n:*" names the last mail when n lies beyond it (RFC 3501 section 6.4.8), and servers have sent worse.
        return sorted(uid for uid in new_uids if lowest <= uid <= responses.HIGHEST_UID)

    def still_there(self, uids: Collection[int]) -> set[int]:
        """Those of the UIDs that the server still lists."""
        present: set[int] = set()
        for portion in responses.portions(uids, _UIDS_A_COMMAND):
            with self._asking("look for mail again") as client:
                present |= responses.search_uids(client.wire.by_uid("SEARCH", f"UID {responses.uid_set(portion)}"))
        return present & set(uids)

    def sizes(self, uids: Collection[int]) -> dict[int, Listed]:
        """Size and arrival of each mail, by UID ascending. A UID that is not in the result has vanished."""
        listings: dict[int, Listed] = {}
        now = datetime.now(UTC)
        for portion in responses.portions(uids, _UIDS_A_COMMAND):
            with self._asking("ask for sizes") as client:
                data = client.wire.by_uid("FETCH", responses.uid_set(portion), "(UID RFC822.SIZE INTERNALDATE)")
                listings |= {
                    uid: responses.listing(items, now) for uid, items in responses.fetch_items(data, portion).items()
                }
        absent = set(uids) - listings.keys()
        if absent:
            listings |= dict.fromkeys(self.still_there(absent), Listed(0, now))
        return dict(sorted(listings.items()))

    def fetch(self, mails: Mapping[int, Listed]) -> Iterator[Fetched | Missing]:
        """The mails of `sizes`, whole and with flags untouched, in order of UID.

        Taken in portions of at most 50 mails and about 4 MB. A mail above the configured size comes as its headers
        and first part (`whole` False). What the server does not give comes as Missing, after the rest of its portion.
        """
        large = {uid for uid, listing in mails.items() if listing.size > self._maximum}
        for group in responses.groups(mails, _MAILS_A_FETCH, _BYTES_A_FETCH, alone=large):
            if group.keys() <= large:
                yield from (self.fetch_head(uid, listing) for uid, listing in group.items())
            else:
                yield from self._fetch_group(group)

    def fetch_head(self, uid: int, listing: Listed, size: int = _HEAD_BYTES) -> Fetched | Missing:
        """The first `size` bytes of a mail: its headers and the beginning of its first part."""
        try:
            mails = self._fetch_items({uid: listing}, f"BODY.PEEK[]<0.{size}>", size, whole=False)
        except CommandRefused as refused:
            return self._missing([uid], str(refused))[0]
        if uid not in mails:
            return self._missing([uid])[0]
        return self._given(mails[uid], Listed(min(size, listing.size), listing.internaldate))

    def mark_seen(self, uids: Collection[int]) -> None:
        """Set \\Seen. Mails that vanished meanwhile are no error; a read-only folder is CommandRefused."""
        for portion in responses.portions(uids, _UIDS_A_COMMAND):
            with self._asking("mark mail as seen") as client:
                self._must_be_writable()
                client.wire.by_uid("STORE", responses.uid_set(portion), "+FLAGS.SILENT (\\Seen)")

    def mark_answered(self, uids: Collection[int], keyword: str = "") -> None:
        """Set \\Answered, and a keyword beside it. Mails that vanished meanwhile are no error."""
        flags = f"(\\Answered {keyword})" if keyword else "(\\Answered)"
        for portion in responses.portions(uids, _UIDS_A_COMMAND):
            with self._asking("mark mail as answered") as client:
                self._must_be_writable()
                client.wire.by_uid("STORE", responses.uid_set(portion), f"+FLAGS.SILENT {flags}")

    def with_message_id(self, message_id: str) -> list[int]:
        """The UIDs of the mails in the folder that have this Message-ID, ascending."""
        try:
            wanted = quoted(message_id)
        except ValueError as error:  # nobody can ask for it
            raise CommandRefused(f"mailbox {self.mailbox.name}: {error}") from None
        with self._asking("look for a mail") as client:
            return sorted(responses.search_uids(client.wire.by_uid("SEARCH", f"HEADER Message-ID {wanted}")))

    def append(self, raw: bytes, at: datetime) -> None:
        """Put a mail into the folder, as read. at: its INTERNALDATE, aware."""
        assert self._folder is not None
        with self._asking("save a sent mail") as client:
            client.append(self._folder.name, raw, (b"\\Seen",), at)

    def move(self, uids: Collection[int], folder: str) -> dict[int, int]:
        """Move mails to a folder, which is made once if it is missing; old to new UIDs where the server tells them.

        UID MOVE (RFC 6851), or UID COPY, \\Deleted and UID EXPUNGE of just these mails (RFC 4315). Where the server has
        neither, CommandRefused: a plain EXPUNGE would remove what others marked. A repeated move is harmless.
        """
        new_uids: dict[int, int] = {}
        for portion in responses.portions(uids, _UIDS_A_COMMAND):
            try:
                new_uids |= self._move(portion, folder)
            except CommandRefused as refused:
                if "[TRYCREATE]" not in str(refused).upper():
                    raise
                self._create(folder)
                new_uids |= self._move(portion, folder)
        return new_uids

    def idle(self, seconds: float, waker: Waker) -> bool:
        """Wait for mail: True at once when the server has told of some since `list_new`, or as soon as it does.

        False when the waker was woken, and after `seconds` (9 minutes at most). Whatever it says: `list_new`
        comes next, since IDLE is a hint and not a list.
        """
        with self._asking("wait for mail") as client:
            if "EXISTS" in client.wire.untagged_responses:
                return True
            return idle(client.wire, seconds, waker)

    def logout(self) -> None:
        """Say good-bye and close; never raises, since nothing depends on it."""
        client, self._client, self._folder = self._client, None, None
        if client is not None:
            with contextlib.suppress(*TROUBLE):
                client.wire.allow()
                client.logout()
            client.wire.shutdown()

    def drop(self) -> None:
        """Close without a word; never raises."""
        client, self._client, self._folder = self._client, None, None
        if client is not None:
            client.wire.shutdown()

    @property
    def _maximum(self) -> int:
        return self.mailbox.maximum_size_mb * MIB

    def _fetch_group(self, group: dict[int, Listed]) -> Iterator[Fetched | Missing]:
        """One FETCH; where the server refuses it for a group, one for each mail, so that the others get through."""
        try:
            mails = self._fetch_items(group, "BODY.PEEK[]", max(self._literal(listing) for listing in group.values()))
        except CommandRefused as refused:
            if len(group) > 1:
                for uid, listing in group.items():
                    yield from self._fetch_group({uid: listing})
            else:
                yield from self._missing(group, str(refused))
            return
        yield from (self._given(mail, group[uid]) for uid, mail in mails.items())
        if absent := group.keys() - mails.keys():
            yield from self._missing(absent)

    def _given(self, mail: Fetched, listing: Listed) -> Fetched | Missing:
        """The mail, or that the server lists more of it than it gave."""
        wrong = responses.shortfall(mail, listing)
        return Missing(mail.uid, True, wrong, mail.raw) if wrong else mail

    def _fetch_items(
        self, mails: Mapping[int, Listed], body: str, literal: int, whole: bool = True
    ) -> dict[int, Fetched]:
        limit = literal if len(mails) == 1 else sum(self._literal(listing) for listing in mails.values())
        with self._asking("fetch mail", literal=literal, response=limit + MIB) as client:
            items = f"(UID INTERNALDATE {body})"
            items_by_uid = responses.fetch_items(client.wire.by_uid("FETCH", responses.uid_set(mails), items), mails)
        fetched_mails = (responses.mail(uid, items, mails[uid], whole) for uid, items in sorted(items_by_uid.items()))
        return {mail.uid: mail for mail in fetched_mails if mail is not None}

    def _literal(self, listing: Listed) -> int:
        """How large a mail may turn out. Some honest servers (Exchange) only estimate RFC822.SIZE, so with slack."""
        return min(2 * listing.size, self._maximum + self._maximum // 2) + MIB

    def _missing(self, uids: Collection[int], reason: str = "the server answered without it") -> list[Missing]:
        present = self.still_there(uids)
        return [Missing(uid, uid in present, reason if uid in present else "it has vanished") for uid in sorted(uids)]

    def _move(self, uids: Collection[int], folder: str) -> dict[int, int]:
        sequence_set, target = responses.uid_set(uids), quoted(encode_utf7(_folder_name(folder)).decode("ascii"))
        with self._asking(f"move mail to {folder}") as client:
            self._must_be_writable()
            if client.has_capability("MOVE"):
                client.wire.by_uid("MOVE", sequence_set, target)
                return responses.copy_uids(client.wire.response("COPYUID")[1], uids)
            if not client.has_capability("UIDPLUS"):
                raise CommandRefused("the server has neither MOVE nor UIDPLUS; set afterwards to seen or keep")
            client.wire.by_uid("COPY", sequence_set, target)
            new_uids = responses.copy_uids(client.wire.response("COPYUID")[1], uids)
            client.wire.by_uid("STORE", sequence_set, "+FLAGS.SILENT (\\Deleted)")
            client.wire.by_uid("EXPUNGE", sequence_set)
            return new_uids

    def _must_be_writable(self) -> None:
        if self._folder is not None and self._folder.read_only:  # Dovecot says OK to a STORE there, and ignores it
            raise CommandRefused("the folder is read-only")

    def _create(self, folder: str) -> None:
        with contextlib.suppress(CommandRefused), self._asking(f"make the folder {folder}") as client:
            client.create_folder(folder)
            client.subscribe_folder(folder)

    @contextlib.contextmanager
    def _asking(self, what: str, **bounds: int) -> Iterator[Client]:
        """Everything that talks to the server goes through here: bounds before, translated errors after."""
        if self._client is None:
            raise MailboxUnavailable(f"mailbox {self.mailbox.name}: cannot {what}: not connected")
        self._client.wire.forget()
        self._client.wire.allow(**bounds)
        with self._translated(what):
            yield self._client

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except MailticketError as error:
            if not isinstance(error, CommandRefused):
                self.drop()
            if isinstance(error, SignInRefused):
                raise SignInRefused(self._sentence(what, error), error.code, error.remedy) from error
            raise type(error)(self._sentence(what, error)) from error
        except TROUBLE as error:
            if isinstance(error, IMAPClientError) and not isinstance(error, IMAPClientAbortError | ProtocolError):
                raise CommandRefused(self._sentence(what, error)) from error
            self.drop()
            raise MailboxUnavailable(self._sentence(what, error)) from error
        except BaseException:
            self.drop()
            raise

    def _sentence(self, what: str, error: BaseException) -> str:
        place = f"{'to' if what == 'connect' else 'at'} {self.mailbox.host}:{self.mailbox.port}"
        return f"mailbox {self.mailbox.name}: cannot {what} {place}: {why(error)}"


# What mail programs call the folder for sent mail where no server says which it is, in lower case.
_SENT_NAMES = frozenset((
    "sent", "sent items", "sent messages", "sent mail", "sent-mail", "inbox.sent", "inbox.sent items",
    "inbox.sent messages", "inbox/sent", "[gmail]/sent mail", "gesendet", "gesendete objekte", "gesendete elemente",
    "envoyés", "éléments envoyés", "enviados", "elementos enviados", "inviati", "posta inviata", "отправленные",
    "已发送", "已发送邮件", "已傳送", "寄件備份", "送信済み", "보낸편지함",
))  # fmt: skip


def sent_folder(folders: Collection[tuple[frozenset[str], str]]) -> str:
    """The folder for sent mail among all of an account, each with its attributes: the one that bears \\Sent (RFC 6154
    section 2), else the one that is called so. CommandRefused with what to do where there is none or are several."""
    real = [(attributes, name) for attributes, name in folders if "\\noselect" not in attributes]
    marked = [name for attributes, name in real if "\\sent" in attributes]
    named = [name for _, name in real if name.casefold() in _SENT_NAMES]
    matches = marked or named
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(map(repr, sorted(matches)))
        raise CommandRefused(f"several folders may be the one for sent mail: {names}; write one as sent_folder")
    names = ", ".join(repr(name) for _, name in real[:_MOST_NAMES])
    raise CommandRefused(f"no folder is marked or named as the one for sent mail; write one as sent_folder: {names}")


def _attributes(flags: Collection[bytes]) -> frozenset[str]:
    return frozenset(flag.decode("ascii", "replace").lower() for flag in flags)


def _folder_name(name: str) -> str:
    if re.search(r"[\r\n\0]", name):
        raise CommandRefused("a folder name cannot hold line breaks or NUL")
    return name
