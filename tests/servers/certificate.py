"""A self-made TLS certificate for loopback, by the openssl command."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> tuple[Path, Path]:
    """Write a certificate for the names and its key into the folder; return (certificate, key), both PEM."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not certificate.exists():
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-subj", "/CN=mailticket test", "-addext", f"subjectAltName={names}"),
                *("-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
            timeout=30,
        )
    return certificate, key


def make_expired_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback that was good for one day of 2020; return (certificate, key), both PEM."""
    certificate, key, request = folder / "expired.pem", folder / "expired-key.pem", folder / "expired.csr"
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    (folder / "ca.conf").write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        "default_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n"
        "[names]\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
    )
    for words in (
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=old",
         "-keyout", str(key), "-out", str(request)],
        ["ca", "-config", str(folder / "ca.conf"), "-selfsign", "-batch", "-notext", "-keyfile", str(key),
         "-in", str(request), "-out", str(certificate), "-startdate", "20200101000000Z", "-enddate", "20200102000000Z"],
    ):  # fmt: skip
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=30)
    return certificate, key
