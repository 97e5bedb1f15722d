"""The shapes of the configuration: frozen values with their defaults and limits. `config` fills them from a file."""

# No `from __future__ import annotations` here: pydantic would compile each annotation again from its text.
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from mailticket.consent.providers import PROVIDERS, Flow, ProviderName

Security = Literal["tls", "starttls", "none"]
Priority = Literal["urgent", "high", "normal", "low"]
KeyPath = tuple[str | int, ...]  # the names of tables and of a key; entries of an array by their index from 0
Flaw = tuple[KeyPath, str]  # what two tables contradict each other in, and the key at which one would mend it
PRIORITIES: tuple[Priority, ...] = ("urgent", "high", "normal", "low")


# Names that are used inside a site and never in the public DNS (RFC 6761, 6762, 7686, 8375 and usage).
_INSIDE = frozenset(
    ("local", "lan", "internal", "intranet", "test", "localhost", "invalid", "onion", "arpa", "example", "home", "corp")
)


# The addresses that most sites have, within all limits of RFC 5321 section 4.5.3.1: email-validator takes each of them,
# and is loaded for others only, since it takes longer to load than all of a configuration to check.
_PLAIN_WORD = "[a-z0-9]{1,20}"
_PLAIN_ADDRESS = re.compile(
    rf"{_PLAIN_WORD}([._+-]{_PLAIN_WORD}){{0,2}}@({_PLAIN_WORD}(-{_PLAIN_WORD})?\.){{1,5}}[a-z]{{2,20}}",
    re.ASCII | re.IGNORECASE,
)


def _address(value: str) -> str:
    if _PLAIN_ADDRESS.fullmatch(value):
        return value
    import email_validator

    # The library refuses .local and its like. Whether they exist is for the site's mail server to say, not for us.
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        email_validator.validate_email(value, check_deliverability=False, globally_deliverable=False)
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"{value!r} is not an e-mail address: {error}") from None
    return value


def stays_inside(address: str) -> bool:
    """Whether mail to an address can only be delivered within the site: a single label, or a name such as .local."""
    domain = address.rpartition("@")[2].lower().rstrip(".")
    return "." not in domain or domain.rpartition(".")[2] in _INSIDE


def _zone(value: str) -> str:
    # Asked for by itself: `available_timezones` reads all of some hundred files. It leaves out the same two folders.
    try:
        known = ZoneInfo(value) and not value.startswith(("posix", "right"))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        known = False
    if not known:
        raise ValueError(f"{value!r} is no time zone; write a name such as Europe/Berlin, Asia/Shanghai or UTC")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


def _is_blank(value: str) -> bool:
    """Whether a text shows nothing: blanks of any width, and characters that nobody sees."""
    return not any(char.isprintable() and not char.isspace() for char in value)


def _shown(value: str) -> str:
    if _is_blank(value):
        raise ValueError("holds only blanks: write a text")
    return value


def _shown_or_none(value: str) -> str:
    if value and _is_blank(value):
        raise ValueError('holds only blanks: write a text, or "" for none')
    return value


def _named(value: Any) -> Any:
    """An empty path would mean the folder of the configuration itself."""
    if isinstance(value, str) and _is_blank(value):
        raise ValueError("must name a file or a folder; to do without, leave the key out")
    return value


def _beside(value: Path, info: ValidationInfo) -> Path:
    """Relative paths begin at the folder of the file, given as `base` in the context: the working folder of a daemon
    means nothing."""
    return Path((info.context or {}).get("base", "")) / value


def _endpoint(value: str) -> str:
    """An address to which secrets go: over TLS, or on this machine."""
    parts = urlsplit(value)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if value and not (safe and parts.hostname and not parts.username):
        raise ValueError("must be an address that begins with https://; http:// only on this machine itself")
    return value


EmailAddress = Annotated[str, AfterValidator(_address)]
Endpoint = Annotated[str, Field(pattern=r"^[!-~]*$", max_length=500), AfterValidator(_endpoint)]
ZoneName = Annotated[str, AfterValidator(_zone)]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_shown), AfterValidator(_pattern)]
FilePath = Annotated[Path, BeforeValidator(_named), AfterValidator(_beside)]
_ON_ONE_LINE = r"^[^\r\n\x00]*$"
Name = Annotated[str, Field(pattern=_ON_ONE_LINE, min_length=1), AfterValidator(_shown)]
OneLine = Annotated[str, Field(pattern=_ON_ONE_LINE), AfterValidator(_shown_or_none)]  # "" for none
Lines = Annotated[str, AfterValidator(_shown_or_none)]


class Section(BaseModel):
    """A table of the file: unknown keys are errors, values never change afterwards, secrets never print."""

    # Defaults are checked too, because a check that compares several keys hangs on the last of them: so it runs, and
    # its problem is reported, even when another key of the table is wrong.
    # Built when first asked, and then as parts of the whole: by itself a table is hardly ever checked.
    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True, defer_build=True
    )


TINT = "#0b6b64"  # of letterheads
Prefix = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
FIRST_NAME = "support"  # what the name in [support] is called beside those of brands; its tickets keep ""


class Support(Section):
    """Who answers, and how ticket IDs look."""

    name: Name = "Support"
    address: EmailAddress
    former_addresses: tuple[EmailAddress, ...] = ()
    prefix: Prefix = "MT"
    former_prefixes: tuple[Prefix, ...] = ()
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?$")] = "en"
    timezone: ZoneName = "UTC"
    signed_reply_address: bool = False
    key_file: FilePath | None = None
    grace_days: Annotated[int, Field(ge=0, le=3650)] = 14
    close_after_days: Annotated[int, Field(ge=1, le=3650)] = 7


class Database(Section):
    """Where tickets are kept: sqlite:///FILE or postgresql://..."""

    url: Annotated[str, Field(pattern=r"^(sqlite:///.+|postgresql(\+psycopg)?://.+)$")] = "sqlite:///mailticket.db"

    @field_validator("url")
    @classmethod
    def _file_beside(cls, url: str, info: ValidationInfo) -> str:
        file = url.removeprefix("sqlite:///")
        return url if file in (url, ":memory:") else f"sqlite:///{_beside(Path(file), info)}"


class SignIn(Section):
    """A server and how to sign in to it; shared by mailboxes and SMTP."""

    host: Name
    security: Security = "tls"
    insecure_remote: bool = False
    ca_file: FilePath | None = None
    username: OneLine = ""
    password: SecretStr | None = None
    password_file: FilePath | None = None
    password_credential: OneLine = ""
    oauth2_token_command: tuple[str, ...] = ()
    auth: Literal["password", "oauth2"] = "password"
    provider: Annotated[ProviderName | None, BeforeValidator(lambda value: value or None)] = None
    flow: Annotated[Flow | None, BeforeValidator(lambda value: value or None)] = None
    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{0,100}$")] = ""
    client_id: OneLine = ""
    client_secret: SecretStr | None = None
    client_secret_file: FilePath | None = None
    client_secret_credential: OneLine = ""
    service_account_file: FilePath | None = None
    account: OneLine = ""
    authorize_url: Endpoint = ""
    token_url: Endpoint = ""
    device_url: Endpoint = ""
    redirect_url: Endpoint = "http://localhost:8765/"
    scopes: tuple[Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,200}$")], ...] = ()
    secret_expires: date | None = None
    consent_expires: date | None = None
    _base: Path = PrivateAttr(default=Path())
    _protocol: ClassVar[Literal["imap", "smtp"]] = "imap"

    @model_validator(mode="before")
    @classmethod
    def _servers_of_the_provider(cls, values: Any) -> Any:
        """Without `host` the provider's own server is meant, with its port and security."""
        if not isinstance(values, dict) or values.get("auth") != "oauth2" or "host" in values:
            return values
        provider = PROVIDERS.get(str(values.get("provider")))
        place = getattr(provider, cls._protocol, None)
        return {**dict(zip(("host", "port", "security"), place, strict=True)), **values} if place else values

    def model_post_init(self, context: Any, /) -> None:
        self._base = Path((context or {}).get("base", ""))

    @property
    def part(self) -> str:
        """What this is called wherever one reads how it fares."""
        raise NotImplementedError

    @property
    def credentials_folder(self) -> Path:
        """Where passwords lie that no key names: the folder `credentials` beside the configuration file."""
        return self._base / "credentials"

    @field_validator("insecure_remote")
    @classmethod
    def _clear_text_at_home_only(cls, insist: bool, others: ValidationInfo) -> bool:
        host = others.data.get("host", "localhost")
        if others.data.get("security") == "none" and not insist and not is_loopback(host):
            raise ValueError(
                f'security = "none" would send the password in clear text to {host}; '
                'use "tls", or set insecure_remote = true if the network in between is yours alone'
            )
        return insist

    @field_validator("oauth2_token_command")
    @classmethod
    def _one_secret(cls, command: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        ways = [others.data.get(way) for way in ("password", "password_file", "password_credential")]
        if sum(bool(way) for way in [*ways, command]) > 1:
            raise ValueError("give only one of password, password_file, password_credential and oauth2_token_command")
        if command and "/" in command[0]:
            return (str(_beside(Path(command[0]), others)), *command[1:])
        return command

    @field_validator("auth")
    @classmethod
    def _one_way(cls, auth: str, others: ValidationInfo) -> str:
        ways = ("password", "password_file", "password_credential", "oauth2_token_command")
        if auth == "oauth2" and (ways_named := [way for way in ways if others.data.get(way)]):
            raise ValueError(f'auth = "oauth2" signs in with tokens: remove {", ".join(ways_named)}')
        if auth == "oauth2" and "username" in others.data and not others.data["username"]:
            raise ValueError('auth = "oauth2" needs username, the address of the mailbox')
        return auth

    @field_validator("consent_expires")
    @classmethod
    def _whole_sign_in(cls, expires: date | None, others: ValidationInfo) -> date | None:
        """What belongs together; the last key is where it is seen, for then all others are known."""
        if others.data.get("auth") == "oauth2" and (flaw := _oauth2_flaw(others.data)):
            raise ValueError(flaw)
        return expires

    @property
    def oauth2_flow(self) -> Flow:
        """The flow in force: the one that is set, else the usual one of the provider."""
        return self.flow or PROVIDERS[self.provider or "custom"].flows[0]


def _oauth2_flaw(values: Mapping[str, Any]) -> str:
    """What is missing or wrong in the OAuth2 keys of a sign-in; "" for nothing, or where a key is wrong by itself."""
    if not {"provider", "flow", "client_id", "tenant", "token_url"} <= values.keys():
        return ""
    name = values["provider"]
    if name is None:
        return 'auth = "oauth2" needs provider: "microsoft365", "google" or "custom"'
    provider = PROVIDERS[name]
    flow = values["flow"] or provider.flows[0]
    if flow not in provider.flows:
        flows = ", ".join(provider.flows)
        reason = " (Google's device flow refuses mail)" if (name, flow) == ("google", "device") else ""
        return f"{provider.title} has no flow {flow!r} for mail{reason}; write one of: {flows}"
    secrets = [key for key in ("client_secret", "client_secret_file", "client_secret_credential") if values.get(key)]
    if len(secrets) > 1:
        return f"give only one of {', '.join(secrets)}"
    if flow == "service-account":
        return "" if values.get("service_account_file") else 'flow = "service-account" needs service_account_file'
    if not values["client_id"]:
        return "OAuth2 needs client_id, the number or name of the application that you registered at the provider"
    if name == "microsoft365" and flow == "client-credentials" and not values["tenant"]:
        return 'flow = "client-credentials" needs tenant, the Directory (tenant) ID of your organisation'
    needed = {"code": ("authorize_url", "token_url"), "device": ("device_url", "token_url")}.get(flow, ("token_url",))
    missing = [key for key in needed if name == "custom" and not values.get(key)]
    return f'provider = "custom" with flow = "{flow}" needs {" and ".join(missing)}' if missing else ""


def is_loopback(host: str) -> bool:
    """True for localhost, 127.0.0.0/8 and ::1, judged by the text alone."""
    return host in ("localhost", "::1", "ip6-localhost") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


class Mailbox(SignIn):
    """One folder of one IMAP account that is watched."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    folder: Name = "INBOX"
    address: EmailAddress | None = None
    first_contact_hours: Annotated[int, Field(ge=0)] = 72
    maximum_size_mb: Annotated[int, Field(ge=1, le=1024)] = 25
    afterwards: Literal["seen", "keep", "move"] = "seen"
    move_to: OneLine = ""
    idle: bool = True
    poll_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    sent_folder: OneLine = ""
    save_sent: bool = False
    timeout_seconds: Annotated[float, Field(ge=5, le=600)] = 60.0

    @property
    def part(self) -> str:
        return f"mailbox {self.name}"

    @property
    def sent(self) -> "Mailbox | None":
        """The watched folder of sent mail as a mailbox of its own, of which nothing is flagged or moved; None for
        none."""
        if not self.sent_folder:
            return None
        folder = SPECIAL_SENT if self.sent_folder == "auto" else self.sent_folder
        values = {"name": f"{self.name}{_SENT}", "folder": folder, "afterwards": "keep", "sent_folder": ""}
        return self.model_copy(update=values)

    @field_validator("move_to")
    @classmethod
    def _move_needs_target(cls, target: str, others: ValidationInfo) -> str:
        if others.data.get("afterwards") == "move" and not target:
            raise ValueError('afterwards = "move" needs move_to, the folder that the mail goes to')
        if target and target == others.data.get("folder"):
            raise ValueError("move_to is the watched folder itself; name another one")
        return target


_SENT = "/Sent"  # behind the name of a mailbox, which can hold no slash
SPECIAL_SENT = "\\Sent"  # as a folder's name: the one that the server marks so (RFC 6154 section 2)


def is_sent(route: str) -> bool:
    """Whether mail that came by this route lay in a folder of sent mail."""
    return route.endswith(_SENT)


def keeper_of(route: str) -> str:
    """The mailbox that a folder of sent mail belongs to; of any other route itself."""
    return route.removesuffix(_SENT)


class Smtp(SignIn):
    """The submission server that takes what we send."""

    _protocol: ClassVar[Literal["imap", "smtp"]] = "smtp"
    port: Annotated[int, Field(ge=1, le=65535)] = 465
    envelope_from: EmailAddress | None = None
    connections: Annotated[int, Field(ge=1, le=20)] = 3
    timeout_seconds: Annotated[float, Field(ge=5, le=600)] = 60.0
    data_timeout_seconds: Annotated[float, Field(ge=30, le=3600)] = 600.0
    give_up_hours: Annotated[int, Field(ge=1, le=720)] = 120
    hello_name: OneLine = ""

    @property
    def part(self) -> str:
        return "smtp"


class OAuth2(Section):
    """Where the key lies with which refresh tokens are kept."""

    key_file: FilePath | None = None


class Trust(Section):
    """Whose word on a sender's identity counts, and which mail the site's filter holds for spam."""

    authserv_id: OneLine = ""
    spam_headers: tuple[tuple[Name, OneLine], ...] = (("X-Spam-Flag", "YES"), ("X-Spam-Status", "Yes"))


class Acknowledge(Section):
    """Whether and whom mailticket answers by itself."""

    enabled: bool = True
    within_hours: Annotated[int, Field(ge=1)] = 72
    replies: bool = False


class Window(Section):
    """When a first answer is expected, counted in support hours from the mail's arrival."""

    from_hours: Annotated[float, Field(ge=0, le=8760)]
    by_hours: Annotated[float, Field(gt=0, le=8760)]

    @field_validator("by_hours")
    @classmethod
    def _in_order(cls, by_hours: float, others: ValidationInfo) -> float:
        if by_hours <= others.data.get("from_hours", 0):
            raise ValueError("by_hours must be later than from_hours")
        return by_hours


class Promise(Section):
    """The windows, the hours in which people answer, and how much the forecast may say."""

    mode: Literal["policy", "forecast"] = "policy"
    confidence: Annotated[float, Field(ge=0.5, le=0.99)] = 0.9
    windows: dict[str, Window] = Field(
        default_factory=lambda: {
            "urgent": Window.model_construct(from_hours=2.0, by_hours=24.0),
            "high": Window.model_construct(from_hours=12.0, by_hours=48.0),
            "normal": Window.model_construct(from_hours=24.0, by_hours=72.0),
            "low": Window.model_construct(from_hours=48.0, by_hours=120.0),
        }
    )
    longest_hours: Annotated[float, Field(gt=0)] = 120.0
    hours: dict[str, tuple[str, ...]] = {}
    holidays: tuple[date, ...] = ()
    working_days: tuple[date, ...] = ()
    holiday_country: Annotated[str, Field(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")] = ""
    warn_staff_hours: Annotated[float, Field(ge=0)] = 4.0
    late_notice: bool = True
    late_notice_hours: Annotated[float, Field(ge=0)] = 1.0

    @field_validator("windows", mode="after")
    @classmethod
    def _fill(cls, windows: dict[str, Window]) -> dict[str, Window]:
        if strangers := [repr(name) for name in windows if name not in PRIORITIES]:
            are = "is no priority" if len(strangers) == 1 else "are no priorities"
            raise ValueError(f"{', '.join(strangers)} {are}; write one of {', '.join(PRIORITIES)}")
        return {**cls.model_fields["windows"].get_default(call_default_factory=True), **windows}

    @field_validator("hours", mode="after")
    @classmethod
    def _weekdays(cls, hours: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        problems = [
            f"{day!r} is no weekday; write one of {', '.join(_WEEKDAYS)}" for day in hours if day not in _WEEKDAYS
        ]
        problems += [f"{day}: {flaw}" for day, spans in hours.items() for span in spans if (flaw := _span_flaw(span))]
        if problems:
            raise ValueError("; ".join(problems))
        return hours


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _span_flaw(span: str) -> str:
    """What is wrong with a span of hours; "" for nothing."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)", span):
        return f"{span!r} is no span of hours; write it as 09:00-17:30"
    start, _, end = span.partition("-")
    return "" if start < end else f"{span!r} ends before it begins; split it at midnight"


class Duplicates(Section):
    """How a new request that repeats an open one of the same sender is found, and what is done with it."""

    policy: Literal["flag", "attach", "off"] = "flag"
    window_days: Annotated[int, Field(ge=1, le=365)] = 7
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    ignore_address_tags: bool = False
    same_mail_in_several_mailboxes: Literal["one", "each"] = "one"


class Caps(Section):
    """How many automatic answers may leave; 0 is no limit."""

    per_address_hour: Annotated[int, Field(ge=0)] = 3
    per_address_day: Annotated[int, Field(ge=0)] = 10
    per_domain_hour: Annotated[int, Field(ge=0)] = 0
    total_hour: Annotated[int, Field(ge=0)] = 20_000


FieldKind = Literal["identifier", "account", "choice", "amount", "time", "note"]


class FieldRule(Section):
    """One detail of a request: how it looks in a text. Group 1 of a pattern is the value, else the whole match.

    kind: how its values bear on whether two requests are one matter. An identifier names the matter, an account its
    requester, a choice is one of a few (a size, a flavour); a note says nothing of it.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
    kind: FieldKind = "identifier"
    patterns: tuple[Pattern, ...]
    labels: dict[str, OneLine] = {}


class Category(Section):
    """A kind of request: the words that betray it, how pressing it is, and which details it needs."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
    labels: dict[str, OneLine] = {}
    words: tuple[Name, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    priority: Priority = "normal"
    needs: tuple[Name, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    window: Window | None = None


class Articles(Section):
    """A folder of help articles that acknowledgements may name."""

    folder: FilePath | None = None
    at_most: Annotated[int, Field(ge=0, le=5)] = 3


def _no_switch(value: Any) -> Any:
    """pydantic takes true for 1, and a single day is not what whoever writes true has in mind."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number, not true or false")
    return value


Number = Annotated[int, BeforeValidator(_no_switch)]


class Retention(Section):
    """How long what is kept. A hundred years are the longest: further back no calendar reaches."""

    raw_days: Annotated[Number, Field(ge=1, le=36500)] = 365
    secret_raw_hours: Annotated[Number, Field(ge=0, le=876000)] = 24
    sent_raw_days: Annotated[Number, Field(ge=1, le=36500)] = 30
    events_days: Annotated[Number, Field(ge=1, le=36500)] = 3650
    texts_days: Annotated[Number, Field(ge=0, le=36500)] = 0
    letters_days: Annotated[Number, Field(ge=0, le=36500)] = 0
    addresses_days: Annotated[Number, Field(ge=0, le=36500)] = 0

    @field_validator("addresses_days")
    @classmethod
    def _words_go_first(cls, days: int, others: ValidationInfo) -> int:
        """Words name people: while they stay, it would only seem that nobody is named."""
        words = [others.data.get(name, 0) for name in ("texts_days", "letters_days")]
        if days and not all(0 < one <= days for one in words):
            raise ValueError("names and addresses cannot go before the words that name them: set texts_days and "
                             "letters_days too, neither longer than addresses_days")  # fmt: skip
        return days


class Templates(Section):
    """An administrator's folder whose files replace shipped templates one by one."""

    folder: FilePath | None = None


class LetterSample(Section):
    """What `preview` fills letters with in one language; a text that is left out is a general one."""

    subject: OneLine = ""
    body: Lines = ""
    answer: Lines = ""
    category: OneLine = ""
    categories: tuple[Name, ...] = ()
    found: dict[Name, Name] = {}
    missing: tuple[Name, ...] = ()
    articles: tuple[Name, ...] = ()


class LettersText(Section):
    """What letters say that depends on the trade, by language; without a key the built-in texts hold.

    secrets: by kind of secret, what to do about one that was mailed in. never_ask: what support never asks for.
    """

    secrets: dict[str, dict[str, OneLine]] = {}
    never_ask: dict[str, OneLine] = {}
    sample: dict[str, LetterSample] = {}


class Alerts(Section):
    """Who hears of what stays broken."""

    to: tuple[EmailAddress, ...] = ()
    after_minutes: Annotated[int, Field(ge=1)] = 15
    per_day: Annotated[int, Field(ge=1)] = 20
    round_minutes: Annotated[int, Field(ge=1)] = 60


class Reports(Section):
    """Who gets the weekly report, on which day and hour of support's zone, and how many full weeks it shows."""

    to: tuple[EmailAddress, ...] = ()
    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    hour: Annotated[int, Field(ge=0, le=23)] = 8
    weeks: Annotated[int, Field(ge=1, le=52)] = 8


def _or_none(value: Any) -> Any:
    return None if value == "" else value


MemberName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{0,29}$")]
ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Staff(Section):
    """A member of the desk.

    name: the word for commands. signs: what stands under answers, "" for nothing. addresses: the first gets desk mail.
    login: the account on this machine, as the desk's socket knows a member; "" for none.
    """

    name: MemberName
    signs: OneLine = ""
    addresses: Annotated[tuple[EmailAddress, ...], Field(min_length=1)]
    login: Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_.-]{0,31}\$?)?$")] = ""


class Team(Section):
    """Members with the categories or mailboxes whose tickets they serve; a team with neither gets the rest."""

    name: MemberName
    members: Annotated[tuple[MemberName, ...], Field(min_length=1)]
    lead: Annotated[str, Field(pattern=r"^([a-z][a-z0-9._-]{0,29})?$")] = ""
    categories: tuple[Name, ...] = ()
    mailboxes: tuple[Name, ...] = ()


class Desk(Section):
    """How staff work: by shell, and by mail.

    visitors: whether an account in the desk's group that is no member's `login` may look at tickets.
    """

    followup_hours: Annotated[float, Field(gt=0)] = 24.0
    visitors: bool = False
    attach_mb: Annotated[float, Field(ge=0, le=100)] = 5.0
    canned: Annotated[FilePath | None, BeforeValidator(_or_none)] = None
    proof: Literal["mark", "verified"] = "mark"
    internal_header: tuple[OneLine, ...] = ()
    new: Literal["each", "urgent", "none"] = "urgent"
    digests: tuple[ClockTime, ...] = ("08:30", "13:30")
    hold_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    mark_days: Annotated[int, Field(ge=1, le=365)] = 30
    per_person_hour: Annotated[int, Field(ge=1)] = 30
    per_person_answers_hour: Annotated[int, Field(ge=1)] = 60

    @field_validator("internal_header")
    @classmethod
    def _name_and_value(cls, pair: tuple[str, ...]) -> tuple[str, ...]:
        return _header_pair(pair, "X-Internal", "yes")


class Block(Section):
    """Mail that is filed without a letter and a ticket: of an address, of a domain and those below it, or with a header
    whose value begins so. The reason is for staff.
    """

    address: Annotated[EmailAddress | None, BeforeValidator(_or_none)] = None
    domain: Annotated[str, Field(pattern=r"^([^\s@.*]+(\.[^\s@.*]+)*)?$")] = ""
    header: tuple[OneLine, ...] = ()
    reason: OneLine = ""

    @field_validator("header")
    @classmethod
    def _name_and_value(cls, pair: tuple[str, ...]) -> tuple[str, ...]:
        return _header_pair(pair, "X-Campaign", "spring")

    @field_validator("reason")
    @classmethod
    def _one_way(cls, reason: str, others: ValidationInfo) -> str:
        ways = ("address", "domain", "header")
        if set(ways) <= others.data.keys() and sum(bool(others.data[way]) for way in ways) != 1:
            raise ValueError("a [[block]] table names exactly one of address, domain and header")
        return reason


def _header_pair(pair: tuple[str, ...], name: str, value: str) -> tuple[str, ...]:
    if len(pair) not in (0, 2) or (pair and not pair[0].strip()):
        raise ValueError(f'write the header\'s name and its value, such as ["{name}", "{value}"], or []')
    return pair


class BrandSmtp(Smtp):
    """A brand's own submission server. Its password is named: the one that lies in wait for [smtp] is another's."""

    _brand: str = PrivateAttr(default="")

    @property
    def part(self) -> str:
        return f"smtp {self._brand}"

    @property
    def lacks_password(self) -> bool:
        """Whether it signs in by a username for which no password is named."""
        ways = (self.password, self.password_file, self.password_credential, self.oauth2_token_command)
        return self.auth == "password" and self.username != "" and not any(ways)


Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Brand(Section):
    """A further name under which support answers; [support] is the first and needs no table.

    name: the word for commands, which its tickets keep. mailboxes, addresses: what chooses it, beside its address.
    language: "" for that of [support]. smtp: without it, mail leaves through [smtp], with the brand's own sender.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
    address: EmailAddress
    title: Name
    prefix: Prefix
    signature: Lines = ""
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3}(-[A-Z][a-z]{3})?)?$")] = ""
    colour: Colour = TINT
    dark_colour: Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6})?$")] = ""
    templates: Annotated[FilePath | None, BeforeValidator(_or_none)] = None
    mailboxes: tuple[Name, ...] = ()
    addresses: tuple[EmailAddress, ...] = ()
    smtp: BrandSmtp | None = None

    def model_post_init(self, context: Any, /) -> None:
        if self.smtp is not None:
            self.smtp._brand = self.name


class Log(Section):
    """How much is logged to standard error, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json", "journal"] = "text"


class Settings(Section):
    """The whole configuration, checked. Relative paths are resolved against `base` of the validation context."""

    # Tables that are left out are made unchecked: checking them one by one, each with a check of its own, took each
    # command 10 ms. A test does it.
    support: Support
    database: Database = Database.model_construct()
    mailbox: tuple[Mailbox, ...] = ()
    smtp: Smtp
    oauth2: OAuth2 = OAuth2.model_construct()
    trust: Trust = Trust.model_construct()
    acknowledge: Acknowledge = Acknowledge.model_construct()
    promise: Promise = Promise.model_construct()
    duplicates: Duplicates = Duplicates.model_construct()
    caps: Caps = Caps.model_construct()
    category: tuple[Category, ...] = ()
    articles: Articles = Articles.model_construct()
    retention: Retention = Retention.model_construct()
    templates: Templates = Templates.model_construct()
    letters: LettersText = LettersText.model_construct()
    alerts: Alerts = Alerts.model_construct()
    reports: Reports = Reports.model_construct()
    staff: tuple[Staff, ...] = ()
    team: tuple[Team, ...] = ()
    desk: Desk = Desk.model_construct()
    block: tuple[Block, ...] = ()
    brand: tuple[Brand, ...] = ()
    log: Log = Log.model_construct()

    @model_validator(mode="after")
    def _together(self) -> "Settings":
        flaws = [
            *_repeated(self.mailbox),
            *_loops(self),
            *((at, f"two [[category]] tables are named {name!r}; give each its own")
              for name, at in _twice(_each("category", "name", self.category))),
            *_staff_flaws(self.staff, self.own_addresses),
            *_team_flaws(self),
            *_block_flaws(self),
            *_brand_flaws(self),
        ]  # fmt: skip
        if flaws:
            # The list travels in the error's context, so that each flaw can be shown with its own line.
            raise PydanticCustomError("contradiction", "the tables contradict each other", {"flaws": flaws})
        return self

    @property
    def watched(self) -> tuple[Mailbox, ...]:
        """Every folder that is watched: each mailbox, and behind it its folder of sent mail."""
        return tuple(one for mailbox in self.mailbox for one in (mailbox, mailbox.sent) if one is not None)

    @property
    def never_blocked(self) -> frozenset[str]:
        """Our own addresses and those of staff, ASCII-lowercased."""
        staff = (address.lower() for member in self.staff for address in member.addresses)
        return self.own_addresses.union(staff)

    @property
    def own_addresses(self) -> frozenset[str]:
        """Every address that is ours, now or formerly, ASCII-lowercased."""
        addresses = [self.support.address, *self.support.former_addresses]
        addresses += [m.address for m in self.mailbox if m.address]
        for brand in self.brand:
            addresses += [brand.address, *brand.addresses]
        addresses += [smtp.envelope_from for smtp in self.accounts.values() if smtp.envelope_from]
        return frozenset(address.lower() for address in addresses)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What ticket IDs begin with, now or formerly, of all brands; that of [support] first."""
        return (self.support.prefix, *self.support.former_prefixes, *(brand.prefix for brand in self.brand))

    @property
    def accounts(self) -> Mapping[str, Smtp]:
        """The submission servers: "" the common one, and under their brand's name those of brands with their own."""
        return {"": self.smtp, **{brand.name: brand.smtp for brand in self.brand if brand.smtp is not None}}

    @property
    def sign_ins(self) -> tuple[Mailbox | Smtp, ...]:
        """Every server that is signed in to."""
        return (*self.mailbox, *self.accounts.values())

    def brand_for(self, route: str, written: Iterable[str], delivered: Iterable[str]) -> str:
        """The brand of a new ticket, "" for that of [support].

        route: the mailbox. written: addresses of To and Cc; delivered: where transport says that it went, both
        lower-cased. The first of ours in To and Cc is whom the writer means; without one the mailbox says, then
        transport.
        """
        serves = self.served
        if (first := next(filter(None, (serving(key, serves) for key in written)), None)) is not None:
            return serves[first]
        if route in (by_mailbox := self._brand_by_mailbox):
            return by_mailbox[route]
        return next((serves[one] for key in delivered if (one := serving(key, serves))), "")

    @property
    def served(self) -> Mapping[str, str]:
        """The addresses that choose a name, lower-cased, each with its brand; "" for that of [support]."""
        by_mailbox = self._brand_by_mailbox
        serves = {address.lower(): "" for address in (self.support.address, *self.support.former_addresses)}
        serves |= {box.address.lower(): by_mailbox.get(box.name, "") for box in self.mailbox if box.address}
        return serves | {address: brand.name for brand in self.brand for address in _served(brand)}

    @property
    def _brand_by_mailbox(self) -> dict[str, str]:
        return {mailbox: brand.name for brand in self.brand for mailbox in brand.mailboxes}

    def of_brand(self, name: str) -> "Settings":
        """These settings as they hold for a brand's letters; for "" and for a brand that is no more, as they are."""
        brand = next((brand for brand in self.brand if brand.name == name), None)
        if brand is None:
            return self
        support = {"name": brand.title, "address": brand.address, "prefix": brand.prefix,
                   "language": brand.language or self.support.language}  # fmt: skip
        smtp = brand.smtp or self.smtp.model_copy(update={"envelope_from": None})
        templates = Templates(folder=brand.templates) if brand.templates else self.templates
        update = {"support": self.support.model_copy(update=support), "smtp": smtp, "templates": templates}
        return self.model_copy(update=update)

    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.support.timezone)


def _each(table: str, key: str, entries: Iterable[Section]) -> Iterator[tuple[Any, KeyPath]]:
    """A key's value in each entry of an array of tables, with its place."""
    return ((getattr(entry, key), (table, number, key)) for number, entry in enumerate(entries))


def _all(table: str, key: str, entries: Iterable[Section]) -> Iterator[tuple[Any, KeyPath]]:
    """The values of a key that holds a list, in each entry of an array of tables, each entry's once."""
    return ((value, at) for values, at in _each(table, key, entries) for value in dict.fromkeys(values))


def _twice(values: Iterable[tuple[str, KeyPath]]) -> list[tuple[str, KeyPath]]:
    """The values that occur more than once, each once, with the place where it comes again."""
    places: dict[str, list[KeyPath]] = {}
    for value, at in values:
        places.setdefault(value, []).append(at)
    return [(value, at[1]) for value, at in places.items() if len(at) > 1]


def _repeated(mailboxes: tuple[Mailbox, ...]) -> Iterator[Flaw]:
    for name, at in _twice(_each("mailbox", "name", mailboxes)):
        yield at, f"two [[mailbox]] tables are named {name!r}; give each its own name"
    seen_folders: dict[tuple[Any, ...], str] = {}
    for number, mailbox in enumerate(mailboxes):
        for watched, key in ((mailbox, "folder"), (mailbox.sent, "sent_folder")):
            if watched is None:
                continue
            folder = (watched.host.lower(), watched.port, watched.username, watched.folder)
            if folder in seen_folders:
                words = f"mailboxes {seen_folders[folder]!r} and {watched.name!r} are the same folder"
                yield ("mailbox", number, key), words
            seen_folders[folder] = watched.name


def _loops(settings: Settings) -> Iterator[Flaw]:
    for section, what, to in (
        ("alerts", "an alert", settings.alerts.to),
        ("reports", "a report", settings.reports.to),
    ):
        for address in to:
            if address.lower() in settings.own_addresses:
                words = (
                    f"[{section}] to names {address}, a support address: {what} would open a ticket; "
                    "write a person's address"
                )
                yield (section, "to"), words


def _block_flaws(settings: Settings) -> Iterator[Flaw]:
    for address in sorted(settings.never_blocked):
        for number, block in enumerate(settings.block):
            key = "domain" if is_below(address.rpartition("@")[2], block.domain) else "address"
            if key == "domain" or (block.address or "").lower() == address:
                words = f"a [[block]] table would block {address}, which is ours or a member of staff's; remove it"
                yield ("block", number, key), words
                break


def _served(brand: Brand) -> list[str]:
    return [address.lower() for address in (brand.address, *brand.addresses)]


_MOST_TAGS = 4  # with the name before them; whoever strings more together means none of ours


def serving(address: str, served: Container[str]) -> str | None:
    """The address of ours that one stands for: itself, since ours may have a tag (support+sales@), else the one before
    its tags, as signed reply addresses have one. None for others' addresses."""
    local, _, domain = address.rpartition("@")
    tags = local.split("+")[:_MOST_TAGS]
    shorter = (f"{'+'.join(tags[:number])}@{domain}" for number in range(len(tags), 0, -1))
    return next((one for one in (address, *shorter) if one in served), None)


def untagged(address: str) -> str:
    """An address without the tag that signed reply addresses have."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _brand_flaws(settings: Settings) -> Iterator[Flaw]:
    brands, boxes = settings.brand, {mailbox.name for mailbox in settings.mailbox}
    for name, at in _each("brand", "name", brands):
        if name == FIRST_NAME:
            words = f"a [[brand]] table is named {name!r}, which means [support] in commands; give another name"
            yield at, words
    for name, at in _twice(_each("brand", "name", brands)):
        yield at, f"two [[brand]] tables are named {name!r}; give each its own"
    for address, at in _twice(_places_of_addresses(settings)):
        yield at, f"{address} is served by two brands; leave it to one"
    for box, at in _twice(_all("brand", "mailboxes", brands)):
        yield at, f"two [[brand]] tables have the mailbox {box!r}; a mailbox chooses one brand"
    for number, brand in enumerate(brands):
        if brand.smtp and brand.smtp.lacks_password:
            words = (
                f"the smtp of [[brand]] {brand.name!r} has a username and needs a password of its own: write one of "
                "password, password_file, password_credential, oauth2_token_command"
            )
            yield ("brand", number, "smtp"), words
        for box in brand.mailboxes:
            if box not in boxes:
                words = f"[[brand]] {brand.name!r} names the mailbox {box!r}, and there is no such [[mailbox]]"
                yield ("brand", number, "mailboxes"), words
    common = dict.fromkeys((settings.support.prefix, *settings.support.former_prefixes))
    ours: Iterator[tuple[str, KeyPath]] = ((prefix, ("support", "prefix")) for prefix in common)
    for prefix, at in _twice(chain(ours, _each("brand", "prefix", brands))):
        yield at, f"the ticket prefix {prefix} stands for two brands, or for one and [support]; give each its own"


def _places_of_addresses(settings: Settings) -> Iterator[tuple[str, KeyPath]]:
    """The addresses that choose a name, lower-cased, each once a name."""
    common = (settings.support.address, *settings.support.former_addresses)
    yield from ((address, ("support", "address")) for address in dict.fromkeys(map(str.lower, common)))
    for number, brand in enumerate(settings.brand):
        for address in dict.fromkeys(_served(brand)):
            yield address, ("brand", number, "address" if address == brand.address.lower() else "addresses")


def is_below(domain: str, blocked: str) -> bool:
    """Whether a domain is this one or one below it; case does not count, "" blocks nothing."""
    name, top = domain.lower().rstrip("."), blocked.lower()
    return top != "" and (name == top or name.endswith(f".{top}"))


def _staff_flaws(staff: tuple[Staff, ...], own: frozenset[str]) -> Iterator[Flaw]:
    for number, member in enumerate(staff):
        if member.name == "none":
            words = (
                "a [[staff]] table is named 'none', which means nobody in `ticket list --assigned none`; "
                "give another name"
            )
            yield ("staff", number, "name"), words
        if "@" in member.signs:
            words = (
                f"[[staff]] {member.name!r} signs as {member.signs!r}, which would show requesters an address; "
                "write a name"
            )
            yield ("staff", number, "signs"), words
        for address in member.addresses:
            if address.lower() in own:
                words = (
                    f"[[staff]] {member.name!r} has the support address {address}: mail to it would open tickets; "
                    "write the member's own"
                )
                yield ("staff", number, "addresses"), words
    for name, at in _twice(_each("staff", "name", staff)):
        yield at, f"two [[staff]] tables are named {name!r}; give each its own"
    for login, at in _twice((login, at) for login, at in _each("staff", "login", staff) if login):
        yield at, f"two [[staff]] tables have login = {login!r}; an account is one member's"
    addresses = ((address.lower(), at) for owned, at in _each("staff", "addresses", staff) for address in owned)
    for address, at in _twice(addresses):
        yield at, f"{address} is in [[staff]] twice; an address is one member's"


def _team_flaws(settings: Settings) -> Iterator[Flaw]:
    names, mailboxes = {m.name for m in settings.staff}, {m.name for m in settings.mailbox}
    teams = settings.team
    for name, at in _twice(_each("team", "name", teams)):
        yield at, f"two [[team]] tables are named {name!r}; give each its own"
    for number, team in enumerate(teams):
        people = {**dict.fromkeys([team.lead] if team.lead else [], "lead"), **dict.fromkeys(team.members, "members")}
        for person, key in people.items():
            if person not in names:
                yield ("team", number, key), f"[[team]] {team.name!r} names {person!r}, who is in no [[staff]] table"
        for box in team.mailboxes:
            if box not in mailboxes:
                words = f"[[team]] {team.name!r} names the mailbox {box!r}, and there is no such [[mailbox]]"
                yield ("team", number, "mailboxes"), words
    for key in ("categories", "mailboxes"):
        for value, at in _twice(_all("team", key, teams)):
            yield at, f"two [[team]] tables serve {value!r}; a ticket goes to one team"
    rest = [number for number, team in enumerate(teams) if not team.categories and not team.mailboxes]
    if len(rest) > 1:
        who = " and ".join(repr(teams[number].name) for number in rest)
        yield ("team", rest[1]), f"the teams {who} have neither categories nor mailboxes; one gets the rest"
