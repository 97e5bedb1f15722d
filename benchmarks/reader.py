"""How fast a mail is read, beside the standard library in the same run, on a seeded mix of made-up mails.

    python benchmarks/reader.py [--mails 400] [--seed 1] [--json]

Ours is the complete reading (text, new text, attachments with digests, automatic, bounce, language); the standard
library's is `email.message_from_bytes(policy=default)` with the bodies and attachments decoded. The mix has a median
of about 10 kB and a mean of about 60 kB. Times are the best of several passes over all mails, in one process.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import gc
import json
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mailticket.mail import read

WORDS = (
    "deposit",
    "withdrawal",
    "account",
    "order",
    "transaction",
    "wallet",
    "confirm",
    "pending",
    "support",
    "please",
    "help",
    "urgent",
    "waiting",
    "hours",
    "since",
    "yesterday",
    "exchange",
    "balance",
    "network",
    "address",
    "screenshot",
    "attached",
    "error",
    "message",
    "verify",
    "identity",
    "document",
    "code",
    "login",
    "password",
    "reset",
    "phone",
    "number",
    "country",
    "bank",
    "transfer",
    "amount",
    "fee",
    "missing",
    "arrived",
    "status",
    "answer",
    "thank",
    "regards",
)
CHINESE = (
    "您好请问我的充值为什么还没有到账订单号码如下麻烦尽快处理谢谢已经等待三个小时网络拥堵提现审核身份验证失败账户安全"
)


def sentence(rng: random.Random, count: int) -> str:
    if rng.random() < 0.3:
        return "".join(rng.choice(CHINESE) for _ in range(count * 2)) + "。"
    return " ".join(rng.choice(WORDS) for _ in range(count)).capitalize() + "."


def body(rng: random.Random, size: int) -> str:
    """New text of a few lines and quoted history up to about `size` characters."""
    lines = ["Hello,", "", *(sentence(rng, 10) for _ in range(rng.randint(2, 8))), "", "Regards", "Ann Example", ""]
    lines.append("On Mon, 2 Nov 2026 at 10:00, Example Support <support@example.com> wrote:")
    while sum(map(len, lines)) < size:
        lines.append("> " + sentence(rng, 9))
    return "\n".join(lines)


def markup(text: str, rng: random.Random, size: int) -> str:
    style = "".join(f".c{i} {{ margin: {i}px; font-family: Arial; }}\n" for i in range(rng.randint(5, 60)))
    rows = "".join(
        f'<p class="c{i % 9}" style="margin:0;color:#333"><span lang="en">{line}</span>'
        f' <a href="https://example.com/{i}">link</a></p>\n'
        for i, line in enumerate(text.split("\n"))
    )
    filler = "<!-- " + "x" * max(0, size - len(rows) - len(style)) + " -->"
    return f"<html><head><style>{style}</style></head><body><div>{rows}</div>{filler}</body></html>"


def mail(rng: random.Random) -> bytes:
    """One mail of the mix: plain, HTML beside plain, or with attachments; sizes are spread widely."""
    message = EmailMessage()
    message["Received"] = "from mx.example.net by mx.example.com with ESMTPS; Mon, 2 Nov 2026 10:00:01 +0000"
    message["Authentication-Results"] = (
        "mx.example.com; spf=pass smtp.mailfrom=example.net; dkim=pass header.d=example.net"
    )
    message["From"] = f"{rng.choice(('Ann Example', '王小明', 'Jörg Müller'))} <user{rng.randrange(10**6)}@example.net>"
    message["To"] = "Example Support <support@example.com>"
    message["Subject"] = sentence(rng, 5)[:70]
    message["Date"] = "Mon, 02 Nov 2026 10:00:00 +0000"
    message["Message-ID"] = f"<{rng.randrange(10**12)}@example.net>"
    message["References"] = " ".join(f"<{rng.randrange(10**9)}@example.net>" for _ in range(rng.randint(0, 8)))
    size = int(min(40_000, rng.lognormvariate(7.0, 0.9)))
    text = body(rng, size)
    message.set_content(text, cte=rng.choice(("8bit", "quoted-printable", "base64")))
    kind = rng.random()
    if kind < 0.7:
        message.add_alternative(markup(text, rng, 3 * size), subtype="html", cte="quoted-printable")
    if kind > 0.68:
        for number in range(rng.randint(1, 3)):
            data = rng.randbytes(int(min(400_000, rng.lognormvariate(10.6, 1.0))))
            message.add_attachment(data, maintype="image", subtype="png", filename=f"截图 {number}.png")
    return message.as_bytes(policy=email.policy.SMTP)


def by_standard_library(raw: bytes) -> int:
    """What the yardstick does: parse, decode every text and every attachment."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    total = len(str(message["Subject"])) + len(str(message["From"])) + len(str(message["To"]))
    for part in message.walk():
        if part.is_multipart():
            continue
        total += len(part.get_content())
    return total


def seconds(reader: Callable[[bytes], object], mails: list[bytes], passes: int) -> float:
    best = float("inf")
    for _ in range(passes):
        gc.collect()
        start = time.perf_counter()
        for raw in mails:
            reader(raw)
        best = min(best, time.perf_counter() - start)
    return best


def large_mail(rng: random.Random) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.net", "support@example.com", "two megabytes"
    message.set_content("See attached.")
    for number in range(4):
        message.add_attachment(
            rng.randbytes(512 * 1024), maintype="application", subtype="pdf", filename=f"{number}.pdf"
        )
    return message.as_bytes(policy=email.policy.SMTP)


def peak_ratio(raw: bytes) -> float:
    """Peak memory of a reading, the mail itself counted, as a multiple of the mail."""
    read(raw)
    gc.collect()
    tracemalloc.start()
    read(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (len(raw) + peak) / len(raw)


def measure(count: int, seed: int, passes: int) -> dict[str, float]:
    rng = random.Random(seed)
    mails = [mail(rng) for _ in range(count)]
    sizes = sorted(map(len, mails))
    ours, theirs = float("inf"), float("inf")
    for _ in range(passes):  # taken in turns, so that a busy moment of the machine hits both
        ours = min(ours, seconds(read, mails, 1))
        theirs = min(theirs, seconds(by_standard_library, mails, 1))
    large = large_mail(rng)
    return {
        "mails": count,
        "median_kb": round(statistics.median(sizes) / 1000, 1),
        "mean_kb": round(statistics.mean(sizes) / 1000, 1),
        "ours_ms": round(1000 * ours / count, 3),
        "standard_library_ms": round(1000 * theirs / count, 3),
        "ratio": round(ours / theirs, 3),
        "two_mb_ms": round(1000 * seconds(read, [large], 2 * passes), 2),
        "two_mb_peak_of_mail": round(peak_ratio(large), 2),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--mails", type=int, default=400)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--passes", type=int, default=5)
    options.add_argument("--json", action="store_true")
    arguments = options.parse_args()
    figures = measure(arguments.mails, arguments.seed, arguments.passes)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:22s} {value:10}")


if __name__ == "__main__":
    main()
