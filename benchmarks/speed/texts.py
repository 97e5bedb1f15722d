"""What a mail with a megabyte of text costs to prepare, by the kind of text: `python -m benchmarks.speed.texts`.

Preparing is all that is done before the transaction: reading, understanding, masking, packing. Of each kind the figure
is the least processor time of several passes, in which the kinds take turns. The texts are made of those of the
labelled sets, and of made-up logs, codes and tables; 500,000 characters of a text are read at most.
"""

from __future__ import annotations

import argparse
import base64
import email.policy
import html
import json
import random
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage

from benchmarks.speed.post import SUPPORT, requests
from mailticket.intake.prepare import make_ready, prepare
from mailticket.letters import REPLY_MARKER
from mailticket.mail.values import Ourselves
from mailticket.triage.brief import Brief, brief

_WROTE = f"On Mon, 2 Nov 2026 at 10:00, Example Support <{SUPPORT}> wrote:"
Lines = Iterator[str]


def _requests(dice: random.Random, chinese: bool | None) -> Lines:
    """Requests with a blank line between them; chinese: of that language alone, or of none but that, or all."""
    texts = [text for _, text in requests() if chinese is None or any(c >= "\u3400" for c in text) == chinese]
    while True:
        yield from (*dice.choice(texts).split("\n"), "")


def _english(dice: random.Random) -> Lines:
    return _requests(dice, chinese=False)


def _chinese(dice: random.Random) -> Lines:
    return _requests(dice, chinese=True)


def _both(dice: random.Random) -> Lines:
    return _requests(dice, chinese=None)


def _quoted(dice: random.Random) -> Lines:
    """A line above a history, which quotes one of its own now and then."""
    yield from ("Any news about that?", "", _WROTE)
    depth = 1
    for line in _english(dice):
        yield f"{'> ' * depth}{line}"
        if dice.random() < 0.02:
            depth = depth % 8 + 1
            yield f"{'> ' * depth}{_WROTE}"


def _between(dice: random.Random) -> Lines:
    """Answers between the lines of a quote."""
    yield _WROTE
    quote, words = _english(dice), _english(dice)
    while True:
        yield from (f"> {next(quote)}" for _ in range(6))
        yield from ("", next(words), "")


def _log(dice: random.Random) -> Lines:
    while True:
        at = f"2026-11-{dice.randint(1, 28):02d}T{dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}:17.204Z"
        order, user, status = dice.randrange(10**9, 10**10), dice.randrange(10**6, 10**8), dice.choice((200, 404, 500))
        yield f"{at} INFO [worker-7] order={order} uid={user} txid=0x{dice.randbytes(32).hex()} status={status}"


def _codes(dice: random.Random) -> Lines:
    while True:
        numbers = (dice.randrange(10**size) for size in (6, 10, 16))
        yield " ".join((dice.randbytes(16).hex(), base64.b64encode(dice.randbytes(24)).decode(), *map(str, numbers)))


def _base64(dice: random.Random) -> Lines:
    while True:
        yield base64.b64encode(dice.randbytes(57)).decode()


def _table(dice: random.Random) -> Lines:
    while True:
        price, amount = dice.uniform(1, 60_000), dice.uniform(0, 10)
        yield f"2026-11-{dice.randint(1, 28):02d} 10:17\tBTC/USDT\tsell\t{price:.2f}\t{amount:.6f}\t{amount / 1000:.8f}"


def _json(dice: random.Random) -> Lines:
    notes = _english(dice)
    while True:
        order = {"orderId": dice.randrange(10**10), "symbol": "BTCUSDT", "apiKey": dice.randbytes(20).hex(),
                 "price": f"{dice.uniform(1, 60_000):.2f}", "note": next(notes)[:60]}  # fmt: skip
        yield from json.dumps(order, indent=2).split("\n")


def _short(dice: random.Random) -> Lines:
    while True:
        yield dice.choice(("a", "ok", "1", "yes", "", "no", "BTC"))


_KINDS: dict[str, Callable[[random.Random], Lines]] = {
    "english": _english,
    "chinese": _chinese,
    "both": _both,
    "quoted": _quoted,
    "between": _between,
    "log": _log,
    "codes": _codes,
    "base64": _base64,
    "table": _table,
    "json": _json,
    "short_lines": _short,
}


def text_of(kind: str, size: int, seed: int) -> str:
    """A text of this kind of so many bytes in UTF-8, a few more at most."""
    lines: list[str] = []
    length = 0
    for line in _KINDS[kind](random.Random(f"{seed} {kind}")):
        lines.append(line)
        length += len(line.encode()) + 1
        if length >= size:
            break
    return "\n".join(lines)


def mails(size: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Each kind by its name, as a mail; some also as one line, and as HTML, whose size is then that of the words."""
    for kind in _KINDS:
        yield kind, _mail(text_of(kind, size, seed), "plain")
    for kind in ("english", "chinese"):
        text = text_of(kind, size, seed)
        yield f"{kind}_in_one_line", _mail(" ".join(text.split()), "plain")
        lines = "\n".join(f'<p style="font-size: 11pt">{html.escape(line)}</p>' for line in text.split("\n"))
        yield f"{kind}_html", _mail(f"<html><body>{lines}</body></html>", "html")
    cells = ("".join(f"<td>{cell}</td>" for cell in row.split()) for row in text_of("table", size, seed).split("\n"))
    yield "table_html", _mail("<table>" + "\n".join(f"<tr>{row}</tr>" for row in cells) + "</table>", "html")


def _mail(text: str, subtype: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Ann Example <ann@example.net>", f"Example Support <{SUPPORT}>"
    message["Subject"], message["Message-ID"] = "Re: My deposit has not arrived", "<1@example.net>"
    message["Date"], message["In-Reply-To"] = "Mon, 02 Nov 2026 10:00:00 +0000", "<0@example.com>"
    message.set_content(text, subtype=subtype, cte="base64")
    return message.as_bytes(policy=email.policy.SMTP)


def _site() -> Brief:
    ourselves = Ourselves(own_addresses=frozenset({SUPPORT}), reply_marker=REPLY_MARKER)
    return brief(("MT",), (), ourselves, (b"key" * 11,))


def measure(size: int, seed: int, passes: int) -> dict[str, float]:
    """Milliseconds of processor time by kind."""
    site = _site()
    make_ready(site)
    made = list(mails(size, seed))
    least: dict[str, float] = {}
    for _ in range(passes):
        for kind, raw in made:
            began = time.process_time()
            prepare(raw, True, site)
            least[kind] = min(least.get(kind, 1e9), time.process_time() - began)
    return {kind: round(1000 * seconds, 1) for kind, seconds in least.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    options.add_argument("--size", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--passes", type=int, default=3)
    given = options.parse_args()
    print(json.dumps(measure(given.size, given.seed, given.passes)), flush=True)


if __name__ == "__main__":
    main()
