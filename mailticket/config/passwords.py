"""Passwords and tokens with which to sign in: read anew each time, from the file, the credential or the command."""

from __future__ import annotations

import logging
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mailticket.errors import ConfigurationError, WorldError
from mailticket.settings import Mailbox, SignIn

TOKEN_COMMAND_SECONDS = 30.0

_log = logging.getLogger(__name__)


def secret(sign_in: SignIn, environ: Mapping[str, str]) -> str:
    """The password, or the OAuth2 access token, with which to sign in; read now, so only by who signs in.

    Without any setting it is the systemd credential ``imap-password-NAME`` (of the mailbox NAME), ``imap-password`` or
    ``smtp-password``. Raises ConfigurationError when there is none or it cannot be read, WorldError when the token
    command fails, which may pass.
    """
    if sign_in.password is not None:
        return sign_in.password.get_secret_value()
    if sign_in.password_file is not None:
        return _secret_in(sign_in.password_file, warn=True)
    if sign_in.oauth2_token_command:
        return _token(sign_in.oauth2_token_command)
    usual = [f"imap-password-{sign_in.name}", "imap-password"] if isinstance(sign_in, Mailbox) else ["smtp-password"]
    names = [sign_in.password_credential] if sign_in.password_credential else usual
    folder = environ.get("CREDENTIALS_DIRECTORY")
    for file in [Path(folder, name) for name in names] if folder else []:
        # The shipped unit gives an empty line where the administrator has provided no password.
        if file.exists() and file.stat().st_size > 1:
            return _secret_in(file, warn=False)
    if sign_in.password_credential:
        remedy = f"LoadCredential={names[-1]}:FILE in the unit provides it; elsewhere use password_file"
    else:
        remedy = f"set password_file, or give the unit LoadCredential={names[-1]}:FILE"
    raise ConfigurationError([f"no password for {sign_in.username} at {sign_in.host}: {remedy}"])


def _secret_in(file: Path, *, warn: bool) -> str:
    try:
        if warn and file.stat().st_mode & stat.S_IROTH:
            _log.warning("%s can be read by every user of this machine; run: chmod 600 %s", file, file)
        value = file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigurationError([f"{file}: not UTF-8 text; a password file holds one line of text"]) from None
    except OSError as error:
        raise ConfigurationError([f"{file}: the password cannot be read: {error.strerror or error}"]) from None
    if not value or "\n" in value or "\x00" in value:
        raise ConfigurationError([f"{file}: must hold the password alone, on one line"])
    return value


def _token(command: tuple[str, ...]) -> str:
    """The first line that the command prints. Its errors are not repeated: they may hold what it was about to send."""
    try:
        result = subprocess.run(  # noqa: S603 - the administrator's own command, as a list and so without a shell
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TOKEN_COMMAND_SECONDS, check=False
        )
    except FileNotFoundError:
        raise ConfigurationError([f"oauth2_token_command: there is no program {command[0]}"]) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorldError(f"oauth2_token_command {command[0]}: {type(error).__name__}; run it by hand to see") from None
    lines = result.stdout.decode("utf-8", "replace").strip().splitlines()
    if result.returncode or not lines:
        what = f"ended with status {result.returncode}" if result.returncode else "printed nothing"
        raise WorldError(f"oauth2_token_command {command[0]} {what}; run it by hand to see why")
    return lines[0].strip()
