"""`mailticket oauth2 login` and `status`, as a person on a machine without a browser meets them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.authorisation import CLIENT_SECRET, AuthorisationServer
from tests.servers.databases import Databases
from tests.servers.machine import PATIENCE

pytestmark = pytest.mark.sqlite  # the database of a configuration that names none


@pytest.fixture
def folder(tmp_path: Path, databases: Databases) -> Path:
    """One with a database that has its tables."""
    databases.copy(tmp_path, "mailticket.db")
    return tmp_path


def configure(folder: Path, provider: AuthorisationServer, extra: str = "", **more: Any) -> None:
    keys = "".join(
        f"{key} = {json.dumps(value)}\n"
        for key, value in provider.settings(host="127.0.0.1", security="none", **more).items()
        if value is not None
    )
    (folder / "mailticket.toml").write_text(
        f'[support]\naddress = "support@example.com"\n[[mailbox]]\nname = "box0"\n{keys}{extra}[smtp]\n{keys}\n'
    )


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "mailticket", *words]


def run(folder: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), cwd=folder, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, **more
    )


def status(folder: Path) -> dict[str, Any]:
    done = run(folder, "oauth2", "status", "--json")
    assert done.returncode == 0, done.stderr
    (face,) = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(face)


def browse(process: subprocess.Popen[str], provider: AuthorisationServer) -> str:
    """Follow the address that the command prints, and paste the one that comes of it; returns all that was printed."""
    assert process.stdout and process.stdin
    printed = ""
    for line in process.stdout:
        printed += line
        if match := re.search(r"http://\S+/authorize\S+", line):
            process.stdin.write(provider.browse(match[0]) + "\n")
            process.stdin.flush()
    return printed


def test_a_consent_by_code_is_kept_for_both_sign_ins_that_share_it(folder: Path, provider: AuthorisationServer) -> None:
    configure(folder, provider)
    assert (status(folder)["refusal"], status(folder)["remedy"]) == ("no-consent", "mailticket oauth2 login box0")
    process = subprocess.Popen(
        command("oauth2", "login", "box0"), cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        printed = browse(process, provider)
        assert process.wait(PATIENCE) == 0
    face = status(folder)
    assert face["sign_ins"] == ["box0", "smtp"]
    assert face["consented_at"] is not None
    assert face["refusal"] is None
    everything = printed + json.dumps(face) + run(folder, "oauth2", "status").stdout + run(folder, "status").stdout
    assert not [token for token in provider.everything_secret() if token in everything]
    key = folder / "oauth2-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_text().strip() not in everything


def test_a_device_code_is_shown_and_waited_for(folder: Path, provider: AuthorisationServer) -> None:
    configure(folder, provider, flow="device")
    done = run(folder, "oauth2", "login", "smtp")
    assert done.returncode == 0, done.stderr
    assert "WDJB-MJHT" in done.stdout
    assert f"{provider.url}/enter" in done.stdout
    assert len(provider.requests) == 2
    assert status(folder)["consented_at"] is not None


def test_client_credentials_are_tried_out(folder: Path, provider: AuthorisationServer) -> None:
    provider.secret = CLIENT_SECRET
    (folder / "client-secret").write_text(CLIENT_SECRET)
    configure(folder, provider, flow="client-credentials", client_secret_file="client-secret")
    assert run(folder, "oauth2", "login", "box0").returncode == 0
    assert status(folder)["used_at"] is not None
    (folder / "client-secret").write_text("wrong-secret")
    done = run(folder, "oauth2", "login", "box0")
    assert done.returncode == 75
    assert "refused the application or its client secret" in done.stderr
    assert "wrong-secret" not in done.stderr
    assert status(folder)["refusal"] == "secret-wrong"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(["nobody"], 1, "there is no mailbox 'nobody'; there are: box0, smtp"),
     (["box0", "--token", "x"], 2, "No such option")],
)  # fmt: skip
def test_a_wrong_name_is_told(
    folder: Path, provider: AuthorisationServer, words: list[str], code: int, said: str
) -> None:
    configure(folder, provider)
    done = run(folder, "oauth2", "login", *words)
    assert (done.returncode, said in done.stderr) == (code, True)


def test_check_names_the_login_that_is_missing_and_then_signs_in(folder: Path, provider: AuthorisationServer) -> None:
    configure(folder, provider, flow="device", port=1)
    before = run(folder, "check")
    assert before.returncode == 1
    assert "mailticket oauth2 login box0" in before.stdout
    assert run(folder, "oauth2", "login", "box0").returncode == 0
    after = run(folder, "check")
    assert "consent of" in after.stdout
    assert "mailticket oauth2 login" not in after.stdout
    assert not [token for token in provider.everything_secret() if token in after.stdout + after.stderr]
