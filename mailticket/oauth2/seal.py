"""The key with which refresh tokens are kept, and their encryption: neither database nor backups hold one in clear.

The encryption is Fernet (AES-128-CBC with HMAC-SHA-256). The name of the consent stands inside, so that a token that is
moved to another row is not taken for that one's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailticket.config.passwords import credential_file
from mailticket.config.rights import state_folder
from mailticket.errors import ConfigurationError
from mailticket.settings import Settings

CREDENTIAL = "oauth2-key"

log = logging.getLogger("mailticket.oauth2.seal")


class WrongKey(Exception):
    """What is kept was not encrypted with this key, for this consent."""


def key_place(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where the key is, or is to be: [oauth2] key_file, else the credential oauth2-key, else beside the database."""
    if settings.oauth2.key_file is not None:
        return settings.oauth2.key_file
    beside = settings.smtp.credentials_folder
    return credential_file((CREDENTIAL,), beside, environ) or state_folder(settings) / CREDENTIAL


def read_key(place: Path) -> bytes:
    """The key. Raises ConfigurationError for a file that cannot be read, or holds none."""
    try:
        mode, key = place.stat().st_mode, place.read_bytes().strip()
    except FileNotFoundError:
        raise ConfigurationError([f"there is no key for refresh tokens in {place}; `mailticket oauth2 login` makes one"]
                                 ) from None  # fmt: skip
    except OSError as error:
        raise ConfigurationError([f"{place}: the key for refresh tokens cannot be read: {error.strerror}"]) from None
    if mode & stat.S_IROTH:
        log.warning("%s can be read by everybody on this machine; run: chmod o= %s", place, place)
    try:
        _fernet(key)
    except ValueError:
        problem = f"{place} holds no key for refresh tokens: 44 characters, as `mailticket oauth2 login` writes them"
        raise ConfigurationError([problem]) from None
    return key


def make_key(place: Path) -> bytes:
    """The key of that file; where there is none, a new one that only we may read."""
    from cryptography.fernet import Fernet

    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return read_key(place)
    except OSError as error:
        problem = f"{place}: the key for refresh tokens cannot be written: {error.strerror}; set [oauth2] key_file"
        raise ConfigurationError([problem]) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return read_key(place)


def mark_of(key: bytes) -> str:
    """By which keys are told apart; it gives nothing of them away."""
    return hashlib.sha256(b"mailticket oauth2 key " + key).hexdigest()[:12]


def sealed(key: bytes, name: str, token: str) -> bytes:
    """A refresh token, encrypted for the consent of that name."""
    value: bytes = _fernet(key).encrypt(json.dumps([name, token]).encode())
    return value


def unsealed(key: bytes, name: str, value: bytes) -> str:
    """The refresh token again. Raises WrongKey."""
    from cryptography.fernet import InvalidToken

    try:
        kept_for, token = json.loads(_fernet(key).decrypt(value))
    except (InvalidToken, ValueError):
        raise WrongKey from None
    if kept_for != name:
        raise WrongKey
    return str(token)


def _fernet(key: bytes) -> Any:
    from cryptography.fernet import Fernet

    return Fernet(key)
