"""Which requests repeat an earlier one, by which evidence, and how fast that is found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.duplicates.__main__ import LOOKALIKES, judge_all, score
from mailticket.likeness import boilerplate
from mailticket.likeness.duplicates import Earlier, Fingerprint, best, compare, fingerprint
from mailticket.likeness.marks import marks
from mailticket.settings import Duplicates
from mailticket.text.words import folded
from mailticket.topics import exchange_trade
from mailticket.topics.categories import classifier

READER = classifier(exchange_trade.EXCHANGE)
LEXICON = exchange_trade.EXCHANGE.lexicon
THRESHOLD = Duplicates().threshold
TXID, OTHER_TXID = "ab12" * 16, "cd34" * 16
DEPOSIT = "I sent 1,500 USDT by TRC20 on 20 November and it has not been credited to my account."


def taken(subject: str, text: str) -> Fingerprint:
    verdict = READER.classify(subject, text)
    details = READER.extract(f"{subject}\n{text}")
    return fingerprint(
        subject, text, fields=details, category=verdict.name, category_sure=verdict.sure, lexicon=LEXICON
    )


def similarity(new: tuple[str, str], earlier: tuple[str, str]) -> float:
    return compare(taken(*new), taken(*earlier), LEXICON).similarity


@pytest.mark.parametrize(
    ("new", "earlier"),
    [
        (("Where is it", "my 1500 usdt topup on tron still doesn't show up"), ("Deposit", DEPOSIT)),
        (("没到账", "我充值的1500 USDT到现在没有到账"), ("Deposit", DEPOSIT)),
        (("", f"look at {TXID}"), ("Deposit", f"missing deposit, hash 0x{TXID.upper()}")),
        (("Any news?", "Any news? Still waiting."), ("Deposit", DEPOSIT)),
        (("催促", "再次催促，请尽快处理！"), ("充值", "充值了500USDT没到账")),
        (("Fwd: Deposit", f"---------- Forwarded message ---------\nFrom: A\nSubject: Deposit\n\n{DEPOSIT}"),
         ("Deposit", DEPOSIT)),
        (("儲值", "儲值的1888 USDT沒有入帳"), ("充值", "充值的1888 USDT没有入账")),
        (("", "status of the tx ending in ab12ab12?"), ("Deposit", f"missing deposit {TXID}")),
    ],
)  # fmt: skip
def test_the_same_matter_is_recognised(new: tuple[str, str], earlier: tuple[str, str]) -> None:
    assert similarity(new, earlier) >= THRESHOLD


def test_texts_of_numbers_alone_are_compared() -> None:
    numbers = " ".join(str(number) for number in range(1, 21))
    assert 0.0 <= similarity(("", numbers), ("", f"{numbers} 21")) < 1.0


@pytest.mark.parametrize(
    ("new", "earlier"),
    [
        (("Deposit", DEPOSIT.replace("1,500", "900")), ("Deposit", DEPOSIT)),
        (("Deposit", DEPOSIT.replace("USDT", "BTC")), ("Deposit", DEPOSIT)),
        (("Deposit", DEPOSIT.replace("20 Nov", "12 Nov")), ("Deposit", DEPOSIT)),
        (("Deposit", f"missing deposit {TXID}"), ("Deposit", f"missing deposit {OTHER_TXID}")),
        (("Order 88110022", "please cancel order 88110022"), ("Order 88110099", "please cancel order 88110099")),
        (("help", "i forgot my password"), ("help", "my doge deposit is missing")),
        (("", "Any news on my identity verification?"), ("Withdrawal", "my withdrawal of 2 ETH is pending")),
        (("Deposit", "another deposit is missing, this is a different transaction"), ("Deposit", DEPOSIT)),
        (("Deposit", "How long does a deposit of USDT usually take?"), ("Deposit", DEPOSIT)),
        (("", ""), ("", "")),
    ],
)
def test_another_matter_is_not_taken_for_the_same(new: tuple[str, str], earlier: tuple[str, str]) -> None:
    assert similarity(new, earlier) < THRESHOLD


STATEMENT = (
    "Please send the {} statement of our fund once more, the file in the portal has no pages and we close the books."
)


@pytest.mark.parametrize(
    ("text", "ours", "theirs"),
    [
        (STATEMENT, "January", "October"),
        ("请重发{}的月结单，审计要用，网站上的打不开", "二月份", "11月份"),
        ("The meter reading for {} was booked twice, please correct it.", "Q2", "Q3"),
        ("The photo of my {} was turned down for being dark, what shall I do?", "passport", "identity card"),
        ("Kindly issue a certificate of {} for the court, with a stamp.", "residence", "employment"),
        ("Please reset the password of our client {}, who is abroad.", "Nils Ekberg", "Amina Sow"),
        ("麻烦查一下客户{}的账户为什么不能提现", "李晓梅", "周建华"),
        ("The heating in room {} makes a noise at night.", "7", "19"),
        ("Please move booking {} to the late ferry and confirm it.", "RT5HQ2", "WN8LC4"),
        ("Invoice {} shows the wrong street, please write it anew.", "2025/77", "2025/93"),
    ],
)
def test_what_identifies_a_matter_speaks_against_equal_words(text: str, ours: str, theirs: str) -> None:
    assert similarity(("Request", text.format(ours)), ("Request", text.format(theirs))) < THRESHOLD
    assert similarity(("Request", f"Once more: {text.format(ours)}"), ("Request", text.format(ours))) >= THRESHOLD


def test_a_correction_may_name_another_number() -> None:
    earlier = ("", "Order 7731 did not come, the courier was seen in our street.")
    assert similarity(("", "Correction: it is order 7713 that did not come, sorry."), earlier) >= THRESHOLD
    assert similarity(("", "Order 7713 did not come, the courier was seen in our street."), earlier) < THRESHOLD


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("the May statement", "month", {"05"}),
        ("the bill for March", "month", {"03"}),
        ("9月和十二月的账单", "month", {"09", "12"}),
        ("report 03/2025", "year", {"2025"}),
        ("may I march in?", "month", set()),
        ("broken since June, and until July", "month", set()),
        ("paid on 4 June", "month", set()),
        ("等了三个月", "month", set()),
        ("my residence permit and selfie", "document", {"residence-permit", "selfie"}),
        ("a new card", "document", set()),
        ("our customer Zoë Bright", "name", {"zoë", "bright"}),
        ("customer Service", "name", set()),
        ("rack 12 and rack 14", "#rack", {"12", "14"}),
        ("my iPhone 13 mini", "device", {"iphone 13"}),
    ],
)
def test_marks_are_read_where_they_say_what_and_not_when(text: str, kind: str, values: set[str]) -> None:
    assert marks(text).get(kind, frozenset()) == values


SIGNATURE = """
{closing}
Eleni Papadaki
Head of Purchasing | Aegean Stone S.A.
12 Harbour Road, Piraeus
Marble, granite and limestone for three generations. Visit our show room, open daily but on feast days. Samples are
free of charge, ask for the catalogue. We reply to quotations within two days. Follow us for offers of the week."""


@pytest.mark.parametrize("closing", ["Kind regards,", "Met vriendelijke groet,", "--", ""])
def test_two_matters_under_one_long_signature_are_two(closing: str) -> None:
    signed = SIGNATURE.format(closing=closing)
    assert (
        boilerplate.content(f"The scale in hall two shows nothing.\n{signed}") == "The scale in hall two shows nothing."
    )
    new, earlier = f"Where can we download the price list?\n{signed}", f"The scale in hall two shows nothing.\n{signed}"
    assert similarity(("Aegean Stone", new), ("Aegean Stone", earlier)) < THRESHOLD


def test_the_same_lines_below_another_matter_prove_nothing_even_if_no_signature_is_known() -> None:
    below = (
        "the shop opens at nine and the yard at seven, lorries ring twice, dogs stay in the car, bills are paid by noon"
    )
    new, earlier = f"our freezer lost its temperature\n{below}", f"somebody parked across the ramp\n{below}"
    assert similarity(("", new), ("", earlier)) < THRESHOLD


def test_details_below_a_name_are_no_signature() -> None:
    text = "I cannot see my coins anywhere.\n\nBest regards\nIvo Novak\nSales manager, Novak s.r.o.\nOrder no: 551-20"
    assert "551-20" in boilerplate.content(text)


def test_a_thanks_before_the_matter_closes_nothing() -> None:
    assert "lamp" in boilerplate.content("Hello\nThanks\nThe lamp is broken, ask the manager of the shop.")


def test_equal_after_normalising_is_exactly_one() -> None:
    assert (
        similarity(("Re: DEPOSIT", f"Hi team,\n\n{DEPOSIT.upper()}\n\nBest regards\nBob"), ("Deposit", DEPOSIT)) == 1.0
    )


def test_a_likeness_says_what_spoke_for_and_against() -> None:
    likeness = compare(taken("Deposit", DEPOSIT.replace("USDT", "BTC")), taken("Deposit", DEPOSIT), LEXICON)
    assert "different coins" in likeness.reason
    assert any("both speak of deposit" in piece for piece in likeness.evidence)


def test_signatures_greetings_disclaimers_and_quotes_do_not_count() -> None:
    text = (
        "Dear support team,\nplease list KAS.\n> quoted words\n\nKind regards\nJane Roe\nRoe Ltd.\n"
        "This e-mail is confidential and intended only for the named recipient. If you received it in error, delete it."
    )
    assert boilerplate.content(text) == "please list KAS."
    assert boilerplate.content("您好，请上线KAS\n\n此致\n敬礼\n王小明") == "请上线KAS"


def test_details_at_the_end_of_a_form_are_no_signature() -> None:
    text = "My deposit is missing.\n\nUID: 5512345\nE-mail: a@example.org\nTXID: 1234"
    assert "TXID: 1234" in boilerplate.content(text)


@pytest.mark.parametrize(
    "text", ["Any update?", "still waiting!!", "没人回复吗", "有进展了吗", "When will you answer?"]
)
def test_asking_for_news_is_noticed(text: str) -> None:
    assert LEXICON.phrases.stance(folded(text)).chaser


@pytest.mark.parametrize("text", ["When will you list KAS?", "How long is the address valid?", "My account is locked"])
def test_other_questions_are_not_asking_for_news(text: str) -> None:
    assert not LEXICON.phrases.stance(folded(text)).chaser


def test_the_best_match_is_the_most_similar_ticket() -> None:
    earlier = [Earlier("MT-1", taken("Login", "I cannot log in")), Earlier("MT-2", taken("Deposit", DEPOSIT))]
    match = best(taken("USDT", "my 1500 USDT deposit is still not credited"), earlier, THRESHOLD, LEXICON)
    assert match is not None
    assert match.key == "MT-2"
    assert match.similarity >= THRESHOLD
    assert match.reason


def test_a_bare_chaser_speaks_for_the_only_ticket_but_not_for_one_of_two() -> None:
    chaser = taken("Any news?", "Any news? I am still waiting.")
    first, second = (
        Earlier("MT-1", taken("Deposit", DEPOSIT)),
        Earlier("MT-2", taken("Withdrawal", "my withdrawal of 2 ETH is pending")),
    )
    only = best(chaser, [first], THRESHOLD, LEXICON)
    assert only is not None
    assert only.key == "MT-1"
    assert best(chaser, [first, second], THRESHOLD, LEXICON) is None


def test_a_chaser_that_names_its_matter_finds_the_right_one_of_two() -> None:
    earlier = [
        Earlier("MT-1", taken("Deposit", DEPOSIT)),
        Earlier("MT-2", taken("Withdrawal", "my withdrawal of 2 ETH is pending")),
    ]
    match = best(taken("", "any news on my withdrawal?"), earlier, THRESHOLD, LEXICON)
    assert match is not None
    assert match.key == "MT-2"


LATE = Earlier("MT-1", taken("Lamp", "The lamp came with a torn shade."), 0.4)


@pytest.mark.parametrize(
    ("subject", "text"),
    [("", ""), ("Screenshot", ""), ("", "see the attached photo"), ("", "IMG_5120.HEIC"), ("", "截图在附件里"),
     ("", "??"), ("Re: Lamp", "here is what it looks like"), ("(no subject)", "sorry, forgot the picture")],
)  # fmt: skip
def test_a_mail_with_hardly_a_word_belongs_to_the_ticket_of_the_last_hour(subject: str, text: str) -> None:
    new = taken(subject, text)
    match = best(new, [LATE], THRESHOLD, LEXICON)
    assert match is not None
    assert match.key == "MT-1"
    hours_ago = Earlier("MT-1", LATE.fingerprint, 1.5)
    assert subject == "Re: Lamp" or best(new, [hours_ago], THRESHOLD, LEXICON) is None or new.chaser


@pytest.mark.parametrize(
    "text", ["Do you sell carpets?", "My second lamp never came, order 5519.", "I want to close my account"]
)
def test_a_matter_of_its_own_stands_for_itself_within_the_hour(text: str) -> None:
    assert best(taken("", text), [LATE], THRESHOLD, LEXICON) is None


def test_a_screenshot_belongs_to_no_ticket_when_two_matters_are_an_hour_old() -> None:
    other = Earlier("MT-2", taken("Login", "I cannot log in"), 0.8)
    assert best(taken("", "see attached"), [LATE, other], THRESHOLD, LEXICON) is None
    repeated = Earlier("MT-2", taken("Lamp", "Shade of the lamp torn"), 0.2, first="MT-1")
    match = best(taken("", "see attached"), [LATE, repeated], THRESHOLD, LEXICON)
    assert match is not None
    assert match.key == "MT-2", "both are one matter, of which this is the newest ticket"


def test_asking_for_news_means_the_ticket_of_the_last_hour_before_an_older_one() -> None:
    old = Earlier("MT-2", taken("Withdrawal", "my withdrawal of 2 ETH is pending"), 40.0)
    match = best(taken("", "any news?"), [old, LATE], THRESHOLD, LEXICON)
    assert match is not None
    assert match.key == "MT-1"


def test_nothing_matches_without_earlier_tickets() -> None:
    assert best(taken("Deposit", DEPOSIT), [], THRESHOLD, LEXICON) is None


@given(st.text(max_size=60), st.text(max_size=200), st.text(max_size=200))
@settings(deadline=None)
def test_comparing_never_raises_and_survives_storage(subject: str, text: str, other: str) -> None:
    new = taken(subject, text)
    assert Fingerprint.from_json(json.loads(json.dumps(new.to_json()))) == new
    assert 0.0 <= compare(new, taken("", other), LEXICON).similarity <= 1.0


def test_a_fingerprint_of_another_version_resembles_nothing() -> None:
    stored = {**taken("Deposit", DEPOSIT).to_json(), "v": 0}
    assert compare(taken("Deposit", DEPOSIT), Fingerprint.from_json(stored), LEXICON).similarity < THRESHOLD


def test_a_fingerprint_of_the_version_before_is_read_without_marks() -> None:
    stored = {name: value for name, value in taken("Deposit", DEPOSIT).to_json().items() if name not in ("m", "l")}
    older = Fingerprint.from_json({**stored, "v": 2, "b": stored["b"][:4]})
    assert older.marks == {}
    assert (
        compare(taken("", "my 1500 usdt topup on tron still doesn't show up"), older, LEXICON).similarity >= THRESHOLD
    )
    assert compare(taken("Login", "I cannot log in"), older, LEXICON).similarity < THRESHOLD


def test_a_fingerprint_is_small() -> None:
    assert len(json.dumps(taken("Deposit", DEPOSIT * 500).to_json())) < 8_000


@pytest.mark.parametrize("part", ["tune", "aside"])
def test_the_labelled_pairs_are_told_apart_as_well_as_measured(part: str) -> None:
    figures = score([pair for pair in judge_all() if pair.part == part], THRESHOLD)
    assert figures.precision >= 0.97
    assert figures.ordinary_recall >= 0.80
    assert figures.recall >= 0.60


@pytest.mark.parametrize(("part", "least"), [("tune", 0.9), ("aside", 0.7)])
def test_pairs_that_look_alike_are_told_apart_as_well_as_measured(part: str, least: float) -> None:
    figures = score([pair for pair in judge_all(LOOKALIKES) if pair.part == part], THRESHOLD)
    assert figures.precision >= 0.95
    assert figures.recall >= least


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "word ",
        "5 USDT ",
        "催促",
        "> q\n",
        "any ",
        "how long ",
        "thanks\n",
        "not ",
        "\n",
        "re: ",
        "may ",
        "card of ",
        "client A",
        "room 1",
        "12月",
        '"a b',
        "Ab Cd\n",
        "!",
        "a.b",
    ],
)
def test_time_grows_linearly_with_hostile_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        return _seconds(lambda: fingerprint(text, text, fields={}, category="", category_sure=False, lexicon=LEXICON))

    seconds(1_000)
    short = min(seconds(2_000) for _ in range(3))
    assert min(seconds(8_000) for _ in range(2)) < 4 * 2.5 * short + 0.05


def test_comparing_with_fifty_tickets_costs_less_than_taking_two_fingerprints() -> None:
    words = "The support chat told me to wait for an answer about my deposit, which I did for three days. " * 12
    earlier = [Earlier(str(n), taken(f"Deposit {n}", f"{n}00 USDT missing. {words}")) for n in range(50)]
    new = taken("Deposit", DEPOSIT + words)
    fifty = min(_seconds(lambda: best(new, earlier, THRESHOLD, LEXICON)) for _ in range(5))
    two = min(_seconds(lambda: [taken("Deposit", DEPOSIT + words) for _ in range(2)]) for _ in range(3))
    assert fifty < two


@pytest.mark.parametrize(
    ("lines", "letters"),
    [(["Hello", "ab 12, c"], 3), (["\u4e2d\u6587", "d"], 7), (["abcdefgh", "ijklmnop", "qrstuvwxyz"], 15), ([], 0)],
)
def test_letters_above_a_closing_are_counted_until_there_are_enough(lines: list[str], letters: int) -> None:
    assert boilerplate._letters(lines, 15) == letters
