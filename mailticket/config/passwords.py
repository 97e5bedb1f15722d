"""Passwords and tokens with which to sign in: read anew each time, from the file, the credential or the command."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mailticket.errors import ConfigurationError, WorldError
from mailticket.settings import Mailbox, SignIn

TOKEN_COMMAND_SECONDS = 30.0
_CLIENT_SECRET = "oauth2-client-secret"  # noqa: S105 - the name of a credential

_log = logging.getLogger(__name__)


def secret(sign_in: SignIn, environ: Mapping[str, str]) -> str:
    """The password, or the OAuth2 access token, with which to sign in; read now, so only by who signs in.

    Without any setting it is the credential ``imap-password-NAME`` (of the mailbox NAME), ``imap-password`` or
    ``smtp-password``: see `secret_file`. Raises ConfigurationError when there is none or it cannot be read, WorldError
    when the token command fails, which may pass.
    """
    if sign_in.password is not None:
        return sign_in.password.get_secret_value()
    if sign_in.oauth2_token_command:
        return _token(sign_in.oauth2_token_command)
    file = secret_file(sign_in, environ)
    if file is not None:
        return _secret_in(file)
    beside = sign_in.credentials_folder / credential_names(sign_in)[-1]
    if beside.parent.exists() and not os.access(beside.parent, os.X_OK):
        raise ConfigurationError([f"{beside}: the password cannot be read: we may not look into its folder"])
    raise ConfigurationError(
        [
            f"no password for {sign_in.username} at {sign_in.host}: write it into {beside}, or set password_file, "
            f"or give the unit LoadCredential={beside.name}:FILE"
        ]
    )


def credential_names(sign_in: SignIn) -> tuple[str, ...]:
    """Under which names the credential of a sign-in is sought, in this order."""
    if sign_in.password_credential:
        return (sign_in.password_credential,)
    return (f"imap-password-{sign_in.name}", "imap-password") if isinstance(sign_in, Mailbox) else ("smtp-password",)


def secret_file(sign_in: SignIn, environ: Mapping[str, str]) -> Path | None:
    """The file that holds the password now: `password_file`, else the credential; None when there is neither.

    A credential is sought in systemd's $CREDENTIALS_DIRECTORY and in the folder `credentials` beside the configuration.
    systemd copies it when the unit starts; one beside the configuration that was changed after that goes before the
    copy, so that a new password needs no restart; not so one that only root may read.
    """
    if sign_in.password_file is not None:
        return sign_in.password_file
    return credential_file(credential_names(sign_in), sign_in.credentials_folder, environ)


def credential_file(names: tuple[str, ...], beside: Path, environ: Mapping[str, str]) -> Path | None:
    """The file of the first of these credentials that is there, from systemd or the folder `credentials`, or None."""
    handed_over = environ.get("CREDENTIALS_DIRECTORY")
    folders = [*([Path(handed_over)] if handed_over else []), beside]
    for name in names:
        files = [folder / name for folder in folders if _changed_at(folder / name)]
        readable = [file for file in files if os.access(file, os.R_OK)]
        if files:
            return max(readable or files, key=_changed_at)
    return None


def client_secret(sign_in: SignIn, environ: Mapping[str, str]) -> str:
    """The secret of the application at the OAuth2 provider; "" for a public client, which has none.

    Raises ConfigurationError where one is configured, or needed, and cannot be read.
    """
    if sign_in.client_secret is not None:
        return sign_in.client_secret.get_secret_value()
    if sign_in.client_secret_file is not None:
        return _secret_in(sign_in.client_secret_file)
    is_needed = sign_in.oauth2_flow == "client-credentials"
    name = sign_in.client_secret_credential or (_CLIENT_SECRET if is_needed else "")
    if not name:
        return ""
    file = credential_file((name,), sign_in.credentials_folder, environ)
    if file is None:
        place = sign_in.credentials_folder / name
        raise ConfigurationError([f"no client secret: write it into {place}, or set client_secret_file"])
    return _secret_in(file)


def _changed_at(file: Path) -> int:
    """When a file was last written or put into its place, in nanoseconds; 0 for one that counts as none."""
    with contextlib.suppress(OSError):
        status = file.stat()
        # The shipped unit gives an empty line where the administrator has provided no password.
        if status.st_size > 1:
            return status.st_ctime_ns
    return 0


def _secret_in(file: Path) -> str:
    try:
        mode = file.stat().st_mode
        value = file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigurationError([f"{file}: not UTF-8 text; a password file holds one line of text"]) from None
    except OSError as error:
        raise ConfigurationError([f"{file}: the password cannot be read: {error.strerror or error}"]) from None
    if mode & stat.S_IROTH:
        _log.warning("%s can be read by everybody on this machine; run: chmod o= %s", file, file)
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
