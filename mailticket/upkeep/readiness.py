"""What has to be right before anything starts: `check` shows all of it, and `run` refuses what no start gets over."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from mailticket.config import passwords
from mailticket.config.files import shipped_folder
from mailticket.config.read import SYSTEM_FILE, passwords_written_in
from mailticket.config.rights import state_folder
from mailticket.errors import ConfigurationError, MailticketError, StoreDamaged, WorldError
from mailticket.oauth2.account import oauth2_sign_ins
from mailticket.oauth2.exchange import must_be_installed
from mailticket.oauth2.seal import key_place
from mailticket.promise.calendar import from_settings
from mailticket.settings import Mailbox, Settings, SignIn, is_loopback, stays_inside
from mailticket.site import articles_of, open_letters, read_key
from mailticket.store import overview, pooling, schema
from mailticket.store.engine import Database, damage
from mailticket.text.clean import counted, sized
from mailticket.topics.exchange import categories_of
from mailticket.upkeep.account import Account, daemon_account, open_to_everybody, own_account
from mailticket.upkeep.desk_findings import desk_mistakes, desk_notes, desk_summary
from mailticket.upkeep.installation import HIDDEN
from mailticket.upkeep.troubles import LEAST_DISK, LEAST_ROOM, free_bytes

log = logging.getLogger("mailticket.upkeep.readiness")

_DEEP_LIMIT = 1024**3  # bytes of a database whose own check is quick enough to be made each time
_HANDED_OVER = ("imap-password", "smtp-password")  # the shipped unit's LoadCredential=
_BAD_CONFIGURATION, _TRY_LATER = 78, 75  # sysexits.h: EX_CONFIG, EX_TEMPFAIL


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. remedy: what to type or change, when it is not well.

    stops: the exit code with which a start is refused for it; 0 for what the daemon can live with. part: under which
    heading people see it.
    """

    level: Literal["ok", "note", "wrong"]
    subject: str
    said: str
    remedy: str = ""
    stops: int = 0
    part: str = ""

    def __str__(self) -> str:
        return f"{self.subject}: {self.said}" + (f"; {self.remedy}" if self.remedy else "")


def must_be_ready(settings: Settings, configuration: Path | None) -> None:
    """Refuse to start, or to reload, for what `check` calls wrong and no start gets over; log what else is wrong.

    Raises ConfigurationError or WorldError with exactly the sentences that `check` prints.
    """
    wrong = [f for f in readiness(settings, configuration, own_account(), deep=False) if f.level == "wrong"]
    for finding in wrong:
        if not finding.stops:
            log.error("%s", finding)
    if mistakes := [str(finding) for finding in wrong if finding.stops == _BAD_CONFIGURATION]:
        raise ConfigurationError(mistakes)
    if troubles := [str(finding) for finding in wrong if finding.stops]:
        raise WorldError("; ".join(troubles))


def account_for(settings: Settings, configuration: Path | None) -> Account:
    """As whom the daemon will meet this configuration."""
    return daemon_account(state_folder(settings), system_wide=_is_system_wide(configuration))


def readiness(settings: Settings, configuration: Path | None, account: Account, *, deep: bool) -> Iterator[Finding]:
    """Everything that can be told without asking a mail server, in the order in which one would mend it.

    deep: let the database check itself, however large it is.
    """
    yield from in_part("Configuration", chain(_settings(settings), _calendar(settings), _desk(settings)))
    yield from in_part("Files and rights", _files(settings, configuration, account))
    yield from in_part("Letters", chain(_templates(settings, account), _articles(settings, account)))
    yield from in_part("Database", _database(settings, configuration, account, deep))


def in_part(part: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    return (replace(finding, part=part) for finding in findings)


# --- the configuration ------------------------------------------------------------------------------------------------


def _settings(settings: Settings) -> Iterator[Finding]:
    """What the configuration says, and what is weaker for what it leaves out."""
    count = len(settings.mailbox)
    yield Finding("ok", "configuration", f"{settings.support.address}, {counted(count, 'mailbox', 'mailboxes')}")
    if not settings.mailbox:
        yield Finding("wrong", "mailboxes", "no [[mailbox]] is configured", "add one, or nothing is ever collected")
    if not settings.trust.authserv_id:
        yield Finding(
            "note", "trust",
            "no [trust] authserv_id: no sender can be verified, so a forged From of a requester may write to that "
            "person's ticket if it names the ID, and acknowledgements never repeat a requester's own words",
            "set it to the name your mail server puts first in its Authentication-Results header",
        )  # fmt: skip
    for sign_in in settings.sign_ins:
        if sign_in.security == "none" and not is_loopback(sign_in.host):
            yield Finding("note", sign_in.part, "the line is not encrypted", 'set security = "tls" or "starttls"')
    inside = sorted(a for a in {*settings.own_addresses, *settings.alerts.to} if stays_inside(a))
    if inside:
        are, them = ("is an address", "it") if len(inside) == 1 else ("are addresses", "them")
        yield Finding("note", "addresses",
                      f"{', '.join(inside)} {are} of your own network: mail to {them} stays inside",
                      "write an address of the internet if people outside are to answer")  # fmt: skip
    categories = categories_of(settings.category)
    yield Finding("ok", "categories", ", ".join(category.name for category in categories))


def _is_system_wide(configuration: Path | None) -> bool:
    return configuration is not None and configuration.absolute() == SYSTEM_FILE


def _calendar(settings: Settings) -> Iterator[Finding]:
    try:
        from_settings(settings.promise, settings.support.timezone)
    except ConfigurationError as error:
        yield from (Finding("wrong", "calendar", problem, stops=_BAD_CONFIGURATION) for problem in error.problems)
        return
    hours = "support hours as set" if settings.promise.hours else "support hours always"
    country = f", holidays of {settings.promise.holiday_country}" if settings.promise.holiday_country else ""
    yield Finding("ok", "calendar", f"{hours}{country}, {settings.support.timezone}")


def _desk(settings: Settings) -> Iterator[Finding]:
    yield from (Finding("wrong", "desk", words, stops=_BAD_CONFIGURATION) for words in desk_mistakes(settings))
    yield from (Finding("note", "desk", words, remedy) for words, remedy in desk_notes(settings))
    if summary := desk_summary(settings):
        yield Finding("ok", "desk", summary)


# --- files and their rights -------------------------------------------------------------------------------------------


def _files(settings: Settings, configuration: Path | None, account: Account) -> Iterator[Finding]:
    """What the account must be able to read, and what nobody else should."""
    findings = [*_program(account), *_configuration_file(configuration, account)]
    for sign_in in settings.sign_ins:
        findings += _secret_file_of(sign_in, account, _is_system_wide(configuration))
    token_key = key_place(settings, os.environ)
    if os.path.lexists(token_key) and oauth2_sign_ins(settings.sign_ins):
        findings += _private(token_key, "oauth2", account)
    if settings.support.key_file is not None:
        findings += _private(settings.support.key_file, "key", account, stops=_BAD_CONFIGURATION)
        if not findings or findings[-1].subject != "key":
            findings += _key(settings.support.key_file)
    named = [settings.support.key_file, settings.templates.folder, settings.articles.folder]
    named += [path for sign_in in settings.sign_ins for path in (
        sign_in.ca_file, sign_in.password_file, sign_in.client_secret_file, sign_in.service_account_file
    )]  # fmt: skip
    if _is_system_wide(configuration):
        findings += [_hidden(path) for path in named if path is not None and _is_hidden(path)]
    yield from dict.fromkeys(findings)
    if not any(finding.level == "wrong" for finding in findings):
        yield Finding("ok", "files", f"{account.name} can read what it needs, and nobody else the passwords")


def _program(account: Account) -> Iterator[Finding]:
    """The account must be able to run us: our templates lie where all of us lies."""
    obstacle = account.obstacle(shipped_folder("templates"), os.R_OK | os.X_OK)
    if obstacle is not None:
        yield Finding("wrong", "program", f"{account.name} may not read the program: {obstacle[0]}: {obstacle[1]}",
                      f"install it below /opt, or: chmod o+rx {_quoted(obstacle[0])}")  # fmt: skip


def _configuration_file(configuration: Path | None, account: Account) -> Iterator[Finding]:
    if configuration is None:
        return
    yield from _readable(configuration.absolute(), "configuration", account, stops=_BAD_CONFIGURATION)
    if open_to_everybody(configuration) and (lines := passwords_written_in(configuration)):
        where = f"line{'' if len(lines) == 1 else 's'} {', '.join(map(str, lines))}"
        yield _exposed(configuration.absolute(), f"the password in {configuration} ({where})", "configuration", account)


def _secret_file_of(sign_in: SignIn, account: Account, system_wide: bool) -> Iterator[Finding]:
    """Whether the password of a server is there for the account, and for nobody else."""
    name = sign_in.part
    if sign_in.ca_file is not None:
        yield from _readable(sign_in.ca_file, name, account)
    if sign_in.auth == "oauth2":
        yield from _oauth2_files(sign_in, name, account)
        return
    if sign_in.oauth2_token_command:
        yield from _command(sign_in.oauth2_token_command[0], name, account, system_wide)
        return
    if sign_in.password is not None or not (sign_in.username or isinstance(sign_in, Mailbox)):
        return
    file = passwords.secret_file(sign_in, os.environ)
    if file is None or Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere")) == file.parent:
        return
    obstacle = account.obstacle(file, os.R_OK)
    if obstacle and system_wide and file.parent == sign_in.credentials_folder and file.name in _HANDED_OVER:
        yield Finding("note", name, f"only root may read {file}: the unit is given it when it starts, so that a new "
                      "password needs a restart", _let_in(file, account))  # fmt: skip
    else:
        yield from _private(file, name, account)


def _oauth2_files(sign_in: SignIn, name: str, account: Account) -> Iterator[Finding]:
    """What signing in by OAuth2 needs of this machine; whether somebody has consented is asked of the database."""
    try:
        must_be_installed()
    except ConfigurationError as error:
        yield Finding("wrong", name, str(error), stops=_BAD_CONFIGURATION)
    for file in (sign_in.client_secret_file, sign_in.service_account_file):
        if file is not None:
            yield from _private(file, name, account)


def password_or_trouble(sign_in: SignIn, account: Account) -> str | Finding:
    """The password of a server that is about to be signed in to, or what is wrong with it."""
    try:
        return passwords.secret(sign_in, os.environ) if sign_in.username or isinstance(sign_in, Mailbox) else ""
    except WorldError as error:
        return Finding("wrong", sign_in.part, str(error))
    except ConfigurationError as error:
        place = passwords.secret_file(sign_in, os.environ) or (
            sign_in.credentials_folder / passwords.credential_names(sign_in)[-1]
        )
        return Finding("wrong", sign_in.part, str(error), _write_secret(place, account))


def right_password(sign_in: SignIn, account: Account) -> str:
    """What to do about a password that the server refused."""
    if sign_in.auth == "oauth2":
        return ""  # which the refusal says
    if sign_in.oauth2_token_command:
        return "run oauth2_token_command by hand and see what it prints"
    if sign_in.password is not None:
        return "correct username and password"
    file = passwords.secret_file(sign_in, os.environ)
    return f"correct username, or the password: {_write_secret(file, account)}" if file else "correct username"


def _command(program: str, name: str, account: Account, system_wide: bool) -> Iterator[Finding]:
    path = next((Path(folder, program) for folder in os.get_exec_path() if Path(folder, program).is_file()), None)
    if path is None:
        yield Finding("wrong", name, f"oauth2_token_command: there is no program {program}", "write its whole path")
    elif (obstacle := account.obstacle(path, os.R_OK | os.X_OK)) is not None:
        yield Finding("wrong", name, f"oauth2_token_command: {account.name} may not run {obstacle[0]}: {obstacle[1]}",
                      f"chmod o+rx {_quoted(obstacle[0])}")  # fmt: skip
    elif system_wide and not path.is_relative_to("/usr") and not path.is_relative_to("/opt/mailticket"):
        yield Finding("note", name, f"the unit runs nothing outside of /usr and /opt/mailticket, and {path} lies there",
                      f"systemctl edit mailticket, and write: [Service] ExecPaths={path}")  # fmt: skip


def _private(file: Path, name: str, account: Account, stops: int = 0) -> Iterator[Finding]:
    """A file with a secret: there, readable for the account, and not for everybody."""
    yield from _readable(file, name, account, stops)
    if open_to_everybody(file):
        yield _exposed(
            file, f"the secret in {file}" if name in ("key", "oauth2") else f"the password in {file}", name, account
        )


def _readable(path: Path, name: str, account: Account, stops: int = 0) -> Iterator[Finding]:
    obstacle = account.obstacle(path, os.R_OK)
    if obstacle is None and path.is_file():
        return
    if obstacle is None:
        yield Finding("wrong", name, f"{path} is no file", "name a file, or put one in its place", stops)
    elif not os.path.lexists(obstacle[0]):
        remedy = _write_secret(path, account) if "password" in path.name else "write it, or correct the key"
        yield Finding("wrong", name, f"{path}: there is no such file", remedy, stops)
    else:
        yield _unreadable(path, obstacle, name, account, stops)


def _unreadable(path: Path, obstacle: tuple[Path, str], name: str, account: Account, stops: int = 0) -> Finding:
    said = f"{account.name}, as whom the daemon runs, may not read {path}"
    if obstacle[0] != path:
        said += f", for it may not enter {obstacle[0]}"
    return Finding("wrong", name, f"{said}: {obstacle[1]}", _let_in(obstacle[0], account), stops)


def _let_in(path: Path, account: Account) -> str:
    place = _quoted(path)
    return f"chgrp {account.group} {place} && chmod {'g+rx' if path.is_dir() else 'g+r'} {place}"


def _exposed(file: Path, what: str, name: str, account: Account) -> Finding:
    place = _quoted(file)
    its_own = file.stat().st_uid == account.uid
    mend = f"chmod 600 {place}" if its_own else f"chmod 640 {place} && chown root:{account.group} {place}"
    return Finding("wrong", name, f"anybody on this machine can read {what}", mend)


def _write_secret(file: Path, account: Account) -> str:
    folder = next(folder for folder in file.absolute().parents if folder.exists())
    rights = "-m 600" if folder.stat().st_uid == account.uid else f"-m 640 -g {account.group}"
    return f"install -D {rights} /dev/stdin {_quoted(file)}, then type it, Enter, Ctrl-D"


def _key(file: Path) -> Iterator[Finding]:
    try:
        read_key(file)
    except ConfigurationError as error:
        yield Finding("wrong", "key", str(error), stops=_BAD_CONFIGURATION)


def _is_hidden(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in HIDDEN)


def _hidden(path: Path) -> Finding:
    target = SYSTEM_FILE.parent / path.name
    return Finding("wrong", "unit", f"the unit does not see {path}: home folders and /tmp are hidden from it",
                   f"mv {_quoted(path)} {target}, and name that in {SYSTEM_FILE}")  # fmt: skip


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


# --- what letters are made of -----------------------------------------------------------------------------------------


def _templates(settings: Settings, account: Account) -> Iterator[Finding]:
    """Every letter rendered in every language with sample data, and what its files name wrongly; of every brand."""
    yield from _templates_of(settings, account)
    for brand in settings.brand:
        if brand.templates or brand.language:
            for finding in _templates_of(settings.of_brand(brand.name), account):
                yield replace(finding, said=f"brand {brand.name}: {finding.said}")


def _templates_of(settings: Settings, account: Account) -> Iterator[Finding]:
    folder = settings.templates.folder
    if folder is not None and folder.is_dir() and (closed := _closed_files(folder, "*.j2", account)):
        yield from (_unreadable(path, why, "templates", account, _BAD_CONFIGURATION) for path, why in closed)
        return
    try:
        letters = open_letters(settings)
    except ConfigurationError as error:
        yield from (Finding("wrong", "templates", problem, stops=_BAD_CONFIGURATION) for problem in error.problems)
        return
    if not letters.has_language(settings.support.language):
        yield Finding("wrong", "templates", f"there are no letters in {settings.support.language}, the language set",
                      f"write one of {', '.join(letters.languages)}, or add that folder of templates")  # fmt: skip
    problems = letters.check() if folder else []  # ours were checked before they were shipped
    for problem in problems:
        remedy = "" if problem.gap else "the built-in one is used until it is mended"
        yield Finding("note" if problem.gap else "wrong", "templates", str(problem), remedy)
    if not problems:
        yield Finding("ok", "templates", f"all letters in {', '.join(letters.languages)}")


def _articles(settings: Settings, account: Account) -> Iterator[Finding]:
    """Every help article of the configured folder."""
    folder = settings.articles.folder
    if folder is None:
        return
    closed = _closed_files(folder, "*.md", account) if folder.is_dir() else []
    yield from (_unreadable(path, why, "articles", account) for path, why in closed)
    articles, flaws = articles_of(settings)
    for flaw in flaws:
        yield Finding("wrong", "articles", str(flaw), "it is left out until it is mended")
    languages = sorted({article.language for article in articles})
    if articles:
        yield Finding("ok", "articles", f"{len(articles)} in {', '.join(languages)}")
    elif not flaws:
        yield Finding("note", "articles", f"{folder} holds none", "put Markdown files (*.md) there")


def _closed_files(folder: Path, pattern: str, account: Account) -> list[tuple[Path, tuple[Path, str]]]:
    """The files of a folder, or the folder, that the account may not read, each with what keeps it from that."""
    if (obstacle := account.obstacle(folder, os.R_OK | os.X_OK)) is not None:
        return [(folder, obstacle)]
    return [(file, why) for file in sorted(folder.rglob(pattern)) if (why := account.obstacle(file, os.R_OK))]


# --- the database -----------------------------------------------------------------------------------------------------


def _database(settings: Settings, configuration: Path | None, account: Account, deep: bool) -> Iterator[Finding]:
    """Whether the database and its folder are there, ours, of this release and undamaged."""
    try:
        database = Database(settings.database.url)
    except ConfigurationError as error:
        yield Finding("wrong", "database", str(error), stops=_BAD_CONFIGURATION)
        return
    try:
        if database.file is not None:
            places = list(_state(database.file, configuration, account))
            yield from places
            if not database.file.exists() or any(finding.stops for finding in places):
                return
        if words := pooling.shared_connections(database):
            yield Finding("wrong", "database", words, pooling.REMEDY, _BAD_CONFIGURATION)
            return
        yield from _tables(database, deep)
        if schema.fits(database):
            yield from _prefixes(settings, database)
    except StoreDamaged as error:
        yield Finding("wrong", "database", str(error), stops=_BAD_CONFIGURATION)
    except MailticketError as error:
        remedy = "start its server, or correct [database] url" if database.file is None else ""
        yield Finding("wrong", "database", str(error), remedy, _TRY_LATER)
    finally:
        database.close()


def _state(file: Path, configuration: Path | None, account: Account) -> Iterator[Finding]:
    """The folder of a SQLite file: there, writable for the account, closed to others, with room."""
    folder = file.absolute().parent
    if not os.path.lexists(folder):
        make = f"install -d -m 700 -o {account.name} -g {account.group} {_quoted(folder)}"
        if _is_system_wide(configuration) and folder.parent == Path("/var/lib"):
            yield Finding("note", "state", f"{folder} is not there yet", "the unit's first start makes it")
        else:
            yield Finding("wrong", "state", f"there is no folder {folder}", make, _TRY_LATER)
        return
    if not folder.is_dir():
        yield Finding("wrong", "state", f"{folder} is no folder", "correct [database] url", _TRY_LATER)
        return
    if file.is_dir():
        yield Finding("wrong", "state", f"{file} is a folder, not a file", "correct [database] url", _TRY_LATER)
        return
    own = [file.with_name(file.name + end) for end in ("", "-wal", "-shm", ".lock")]
    needs = [(folder, os.R_OK | os.W_OK | os.X_OK), *((path, os.R_OK | os.W_OK) for path in own if path.exists())]
    for path, rights in needs:
        if (obstacle := account.obstacle(path, rights)) is not None:
            yield Finding("wrong", "state", f"{account.name} may not write to {path}: {obstacle[1]}",
                          f"chown -R {account.name}: {_quoted(folder)}", _TRY_LATER)  # fmt: skip
            return
    if file.exists() and open_to_everybody(file):
        yield Finding("wrong", "state", f"anybody on this machine can read the mails in {file}",
                      f"chmod o= {_quoted(file)}*")  # fmt: skip
    if not file.exists():
        yield Finding("note", "database", f"{file} is not there yet", "the first start makes it")
    free = free_bytes(folder)
    if free < LEAST_DISK:
        yield Finding("wrong", "disk", f"only {free // 1024**2} MB are free in {folder}",
                      f"make room: below {LEAST_ROOM // 1024**2} MB intake pauses")  # fmt: skip


def _tables(database: Database, deep: bool) -> Iterator[Finding]:
    step = schema.current(database)
    fits = schema.fits(database)
    if not fits and (wrong := schema.unusable(step)):
        yield Finding("wrong", "database", wrong, stops=_BAD_CONFIGURATION)
        return
    if not fits:
        state = "is empty" if not step else f"is at step {step} of {schema.HEAD}"
        yield Finding("note", "database", state, "the next start brings it up to date")
        return
    small = database.file is not None and database.file.stat().st_size < _DEEP_LIMIT
    if (deep or small) and (wrong := damage(database)):
        yield Finding("wrong", "database", wrong, "stop the daemon and restore a backup")
        return
    size = f", {sized(database.file.stat().st_size)}" if database.file is not None else ""
    yield Finding("ok", "database", f"{database.url.render_as_string(hide_password=True)}{size}")


def _prefixes(settings: Settings, database: Database) -> Iterator[Finding]:
    """Ticket IDs that the configuration no longer knows are read in no reply."""
    support = settings.support
    with database.read() as session:
        strangers = overview.prefixes_beside(session, settings.prefixes)
    if strangers:
        former = ", ".join(f'"{prefix}"' for prefix in (*support.former_prefixes, *strangers))
        yield Finding(
            "wrong", "prefix",
            f"there are tickets whose IDs begin with {', '.join(strangers)}, which [support] prefix and "
            "former_prefixes do not name: replies that name them open new tickets",
            f"write into [support]: former_prefixes = [{former}]",
        )  # fmt: skip
