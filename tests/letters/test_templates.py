"""The administrator's templates over ours: replacing, extending, breaking; languages and their gaps; the looks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import Environment
from jinja2.runtime import Macro

from mailticket.letters import KINDS, ArticleLink, Found, Letter, Letters, Step, TemplateSource, samples
from mailticket.letters.colours import contrast, look
from mailticket.mail.quoting import trim
from mailticket.mail.values import OurLetters
from mailticket.settings import TINT, Settings, Smtp, Support
from mailticket.site import words_of
from mailticket.triage.commands import command
from tests.letters import HEAD, sample

LANGUAGES = ("en", "zh-Hans", "zh-Hant")
ACK = "en/acknowledgement.j2"


def with_file(source: TemplateSource, name: str, text: str) -> Letters:
    return Letters(source, TemplateSource("/etc/mailticket/templates", {name: text}))


def test_the_shipped_templates_have_no_problem_and_no_gap(letters: Letters) -> None:
    assert letters.check() == []
    assert letters.languages == LANGUAGES


def test_an_administrators_file_replaces_ours(source: TemplateSource) -> None:
    text = source.files[ACK].replace("Thank you for writing to us.", "Thanks from the bakery.")
    composed = with_file(source, ACK, text).compose(letter("acknowledgement"), HEAD)
    assert "Thanks from the bakery." in composed.text
    assert "Thanks from the bakery." in composed.html
    assert composed.warnings == ()


def test_an_administrators_file_can_change_one_sentence_of_ours(source: TemplateSource) -> None:
    text = '{% extends "default/en/acknowledgement.j2" %}{% block headline %}Fresh bread soon{% endblock %}'
    letters = with_file(source, ACK, text)
    composed = letters.compose(letter("acknowledgement"), HEAD)
    assert "Fresh bread soon</h1>" in composed.html
    assert "Your request has arrived safely" in composed.text
    assert letters.check() == []


def test_an_administrators_shared_words_reach_every_letter(source: TemplateSource) -> None:
    text = '{% extends "default/en/common.j2" %}{% block greeting %}Good day,{% endblock %}'
    letters = with_file(source, "en/common.j2", text)
    for kind in set(KINDS) - {"staff-reply"}:
        assert "Good day," in letters.compose(letter(kind), HEAD).text


def test_a_second_letter_looks_up_no_template_and_puts_no_sentence_into_its_lines_again(
    source: TemplateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = Letters(source)
    first = letters.compose(letter("acknowledgement"), HEAD)
    lookups: list[str] = []
    calls: list[str] = []
    monkeypatch.setattr(Environment, "_load_template", _noting(lookups, Environment._load_template))
    monkeypatch.setattr(Macro, "_invoke", _noting(calls, Macro._invoke))
    second = letters.compose(replace(letter("acknowledgement"), ticket_id="MT-0A1B-2C3D"), HEAD)
    assert second.html == first.html.replace("MT-7F3K-92QX", "MT-0A1B-2C3D")
    assert [name for name in lookups if not name.startswith(("layout/", "structure/", "en/common.j2"))] == []
    assert len(calls) <= 20  # around sentences that other macros print, and what names the ticket


def _noting(names: list[str], method: Callable[..., Any]) -> Callable[..., Any]:
    def noted(self: Any, first: Any, *rest: Any) -> Any:
        names.append(str(first))
        return method(self, first, *rest)

    return noted


def test_a_macro_may_be_given_what_cannot_be_remembered(source: TemplateSource) -> None:
    parts = (
        source.files["layout/text-parts.j2"] + "{% macro all(words, end) %}{{ words|join(' ') }}{{ end }}{% endmacro %}"
    )
    own = (
        '{% extends "default/en/acknowledgement.j2" %}'
        "{% block opening %}{{ part.all(['rye', 'spelt'], end='!') if medium == 'text' }}{% endblock %}"
    )
    files = {ACK: own, "layout/text-parts.j2": parts}
    composed = Letters(source, TemplateSource("/etc/mailticket/templates", files)).compose(
        letter("acknowledgement"), HEAD
    )
    assert composed.warnings == ()
    assert "rye spelt!" in composed.text


SETTINGS = Settings(support=Support(address="support@example.com"), smtp=Smtp(host="localhost"))


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        (ACK, "{% extends common %}\n{% block subject %}", 2, "block"),
        (ACK, "{% extends common %}\n\n{% block opening %}{{ letter.nonsense }}{% endblock %}", 3, "nonsense"),
        (ACK, "{% extends common %}\n{% block opening %}{{ 1 / 0 }}{% endblock %}", 2, "ZeroDivisionError"),
        (ACK, "{% extends common %}\n{% block opening %}{{ letter.name.nonsense() }}{% endblock %}", 2, "nonsense"),
        (ACK, "{% extends common %}\n{% block headline %}Hi{% endblock %}", 0, "opening"),
        (ACK, '{% extends "en/nothing.j2" %}', 1, "TemplateNotFound"),
        ("layout/text.j2", "{{ self.first_line() }}\n{{ 'x' * 2000000 }}", 0, "OutputTooLarge"),
        ("layout/html-parts.j2", "{% macro paragraph(text) %}\n{{ text.nonsense }}{% endmacro %}", 2, "nonsense"),
        ("en/dates.j2", "{% macro span(s) %}\n\n{{ s.nonsense }}{% endmacro %}", 0, "short_span"),
        (
            "structure/acknowledgement.j2",
            "{% extends layout %}\n{% block body %}{{ self.gone() }}{% endblock %}",
            2,
            "gone",
        ),
    ],
)
def test_a_broken_template_is_named_and_ours_is_used(source, letters, name, text, line, message) -> None:
    broken = with_file(source, name, text)
    composed = broken.compose(letter("acknowledgement"), HEAD)
    assert composed.message == letters.compose(letter("acknowledgement"), HEAD).message
    (warning,) = composed.warnings
    assert message in warning
    if line:
        assert warning.startswith(f"/etc/mailticket/templates/{name}:{line}: ")
        assert (f"/etc/mailticket/templates/{name}", line) in [
            (problem.file, problem.line) for problem in broken.check()
        ]
    else:
        assert any(message in problem.message for problem in broken.check())


def test_check_names_a_file_that_no_letter_uses(source: TemplateSource) -> None:
    letters = with_file(source, "en/acknowledgment.j2", source.files[ACK])
    assert [str(problem) for problem in letters.check()] == [
        "/etc/mailticket/templates/en/acknowledgment.j2:1: no letter uses this file; is its name right?"
    ]


def test_check_names_a_block_that_no_letter_has_and_what_may_be_meant(source: TemplateSource) -> None:
    text = (
        '{% extends "default/en/acknowledgement.j2" %}\n{% block headline %}Bread{% endblock %}\n'
        "{% block openning %}Good day{% endblock %}\n{% block own_shop %}x{% endblock %}"
    )
    letters = with_file(source, ACK, text)
    assert [str(problem) for problem in letters.check()] == [
        f"/etc/mailticket/templates/{ACK}:3: no letter has a block openning; did you mean opening?",
        f"/etc/mailticket/templates/{ACK}:4: no letter has a block own_shop",
    ]


def test_check_accepts_blocks_that_are_called_or_stand_inside_others(source: TemplateSource) -> None:
    text = (
        '{% extends "default/en/acknowledgement.j2" %}{% block opening %}{{ self.own() }}'
        "{% block inner %}!{% endblock %}{% endblock %}{% block own %}Hello{% endblock %}"
    )
    assert with_file(source, ACK, text).check() == []


def test_every_block_of_the_shipped_words_is_one_that_a_letter_has(source: TemplateSource) -> None:
    assert Letters(source, TemplateSource("/etc/mailticket/templates", source.files)).check() == []


def test_check_accepts_a_file_that_another_one_includes(source: TemplateSource) -> None:
    files = {
        "parts/bread.j2": "Fresh bread.",
        ACK: '{% extends "default/en/acknowledgement.j2" %}{% block opening %}'
        '{% include "parts/bread.j2" %}{% endblock %}',
    }
    letters = Letters(source, TemplateSource("/etc/mailticket/templates", files))
    assert letters.check() == []
    assert "Fresh bread." in letters.compose(letter("acknowledgement"), HEAD).text


def test_check_says_when_the_ticket_id_is_lost(source: TemplateSource) -> None:
    text = '{% extends "default/en/common.j2" %}{% block first_line %}Hello{% endblock %}'
    problems = with_file(source, "en/common.j2", text).check()
    assert problems
    assert {problem.message for problem in problems} == {"the ticket ID is not in the first two lines of the text"}


def test_a_subject_that_forgets_the_ticket_id_gets_it(source: TemplateSource) -> None:
    composed = with_file(source, "layout/subject.j2", "Hello\nyou").compose(letter("acknowledgement"), HEAD)
    assert composed.subject == "Hello you [MT-7F3K-92QX]"


def test_no_template_can_print_what_an_unverified_sender_wrote(source: TemplateSource) -> None:
    text = (
        '{% extends "default/en/acknowledgement.j2" %}'
        "{% block opening %}<{{ letter.subject }}|{{ letter.name }}|{{ letter.found }}|{{ letter.history }}>"
        "{% endblock %}"
    )
    composed = with_file(source, ACK, text).compose(replace(letter("acknowledgement"), verified=False), HEAD)
    assert "<||()|None>" in composed.text


def test_a_new_language_is_a_folder_and_its_gaps_are_english(source: TemplateSource) -> None:
    files = {
        "fr/common.j2": source.files["en/common.j2"].replace("Hello", "Bonjour"),
        "fr/acknowledgement.j2": source.files[ACK].replace("We have your request", "Nous avons votre demande"),
    }
    letters = Letters(source, TemplateSource("/etc/mailticket/templates", files))
    assert letters.languages == ("en", "fr", "zh-Hans", "zh-Hant")
    french = letters.compose(replace(letter("acknowledgement"), language="fr"), HEAD)
    assert french.language == "fr"
    assert '<html lang="fr"' in french.html
    assert "Bonjour Ann Lee," in french.text
    english = letters.compose(replace(letter("solved"), language="fr"), HEAD)
    assert english.language == "en"
    assert "Hello Ann Lee," in english.text
    problems = letters.check()
    assert all(problem.gap for problem in problems)
    assert {problem.file for problem in problems} == {
        "fr/dates.j2",
        *(f"fr/{kind}.j2" for kind in KINDS if kind != "acknowledgement"),
    }


def test_a_broken_new_language_falls_back_to_english(source: TemplateSource) -> None:
    letters = with_file(source, "fr/acknowledgement.j2", "{% extends common %}{% block subject %}{{ x }}{% endblock %}")
    composed = letters.compose(replace(letter("acknowledgement"), language="fr"), HEAD)
    assert composed.language == "en"
    assert composed.warnings


@pytest.mark.parametrize(
    ("wanted", "default", "chosen"),
    [
        ("en", "zh-Hans", "en"), ("zh-Hans", "en", "zh-Hans"), ("zh-Hant", "en", "zh-Hant"), ("zh", "en", "zh-Hans"),
        ("zh-TW", "en", "zh-Hant"), ("zh-HK", "en", "zh-Hant"), ("zh-CN", "en", "zh-Hans"), ("zh_TW", "en", "zh-Hant"),
        ("en-GB", "zh-Hans", "en"), ("", "en", "en"), ("", "zh-Hant", "zh-Hant"), ("fr", "zh-Hans", "zh-Hans"),
        ("zh-hant", "en", "zh-Hant"), ("ZH_Hant_HK", "en", "zh-Hant"), ("zh-Hans-HK", "en", "zh-Hans"),
        ("fr", "de", "en"), ("../../etc", "en", "en"), ("layout", "en", "en"), ("default", "en", "en"),
    ],
)  # fmt: skip
def test_the_language_of_an_answer(letters: Letters, wanted, default, chosen) -> None:
    assert letters.language_for(wanted, default) == chosen


@pytest.mark.parametrize(
    ("wanted", "there"),
    [("en", True), ("en-GB", True), ("zh_tw", True), ("fr", False), ("", False), ("../../etc", False), ("e", False)],
)
def test_whether_there_are_letters_in_a_language(letters: Letters, wanted: str, there: bool) -> None:
    assert letters.has_language(wanted) == there


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_has_id_first_check_word_and_security_notice(letters: Letters, kind, language) -> None:
    composed = letters.compose(sample(kind, language), HEAD)
    first, second = composed.text.split("\n")[:2]
    assert "MT-7F3K-92QX" in first
    assert first.startswith(HEAD.reply_marker)
    if kind in ("acknowledgement", "duplicate-notice", "late-notice", "sooner", "status-answer"):
        assert {"en": "Thu 26 Nov 2026 10:00", "zh-Hans": "11月26日（周四）10:00", "zh-Hant": "11月26日（週四）10:00"}[
            language
        ] in second
    for page in (composed.text, composed.html):
        assert "badokine" in page
        assert re.search("passwords|密码|密碼", page)
    assert f'<html lang="{language}"' in composed.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_reply_that_quotes_a_letter_without_marks_is_cut_at_the_marker(letters: Letters, kind, language) -> None:
    quoted = letters.compose(sample(kind, language), HEAD).text
    for reply in (f"The TXID is abc.\n\n{quoted}", "The TXID is abc.\n\n> " + quoted.replace("\n", "\n> ")):
        known = OurLetters(sent=(quoted,))
        assert trim(reply, marker=HEAD.reply_marker, letters=known)[0] == "The TXID is abc."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ("acknowledgement", "reply-received", "late-notice", "sooner", "solved", "split-done"))
def test_most_of_a_letter_is_known_by_the_sentences_of_the_templates_alone(letters: Letters, kind, language) -> None:
    quoted = letters.compose(sample(kind, language), HEAD).text
    new, _ = trim(f"Abc.\n\n{quoted}\n\nXyz.", marker=HEAD.reply_marker, letters=words_of(SETTINGS, letters))
    lines = [line for line in new.splitlines() if line.strip()]
    assert (lines[0], lines[-1]) == ("Abc.", "Xyz.")
    assert len(lines) < 0.5 * sum(bool(line.strip()) for line in quoted.splitlines())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "words"), [("acknowledgement", ("STATUS", "状态", "狀態")), ("duplicate-notice", ("SPLIT", "拆分"))]
)
def test_the_words_that_a_letter_offers_are_commands(letters: Letters, kind, words, language) -> None:
    html = letters.compose(sample(kind, language), HEAD).html
    offered = [word for word in re.findall("<strong[^>]*>([^<]+)</strong>", html) if word in words]
    assert len(offered) == 1
    assert command(offered[0]) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_duplicate_notice_names_the_first_ticket_and_the_word_split(letters: Letters, language) -> None:
    composed = letters.compose(sample("duplicate-notice", language), HEAD)
    for page in (composed.text, composed.html):
        assert "MT-4WJ8-M1C7" in page
        assert "SPLIT" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_of_an_earlier_answer_says_both_dates_and_that_nothing_is_to_be_done(
    letters: Letters, language
) -> None:
    composed = letters.compose(sample("sooner", language), HEAD)
    old = {"en": "by Saturday 28 November 2026", "zh-Hans": "11月28日（星期六）", "zh-Hant": "11月28日（星期六）"}
    nothing = {"en": "nothing that you need to do", "zh-Hans": "您无需做任何事", "zh-Hant": "您不必做任何事"}
    for page in (" ".join(composed.text.split()).replace("） ", "）"), composed.html):
        assert old[language] in page
        assert nothing[language] in page
        assert "MT-7F3K-92QX" in page


def test_a_step_for_which_a_status_answer_has_no_words_is_a_problem(source: TemplateSource) -> None:
    name = "en/status-answer.j2"
    lines = [line for line in source.files[name].splitlines() if not line.startswith('  "sooner"')]
    problems = with_file(source, name, "\n".join(lines)).check()
    assert ["sooner" in problem.message for problem in problems] == [True]


def letter(kind, language: str = "en") -> Letter:
    return sample(kind, language)


def fullest(kind, language: str) -> Letter:
    """A letter with more of everything than it may show."""
    long = "很长的一句话 & <b>" * 40
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return replace(
        letter(kind, language),
        subject=long,
        name="很" * 60,
        category=long,
        found=(Found(long, long),) * 50,
        missing=(long,) * 50,
        articles=(ArticleLink(long, "https://example.com/" + "x" * 5000),) * 50,
        former_ticket_id="MT-0A1B-2C3D",
        secrets=tuple(f"kind {number}" for number in range(50)),
        steps=tuple(Step(now + timedelta(minutes=n), "reply-received") for n in range(50)),
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "staff-reply"])
def test_html_stays_under_20_kb_however_much_there_is_to_say(letters: Letters, kind, language) -> None:
    assert len(letters.compose(sample(kind, language), HEAD).html.encode()) < 12_000
    assert len(letters.compose(fullest(kind, language), HEAD).html.encode()) < 20_000


class _Reader(HTMLParser):
    """Collects the tags with their attributes and checks that they close in order."""

    VOID = frozenset({"meta", "br", "img", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_html_is_well_formed_holds_nothing_remote_and_can_be_read_aloud(letters: Letters, kind, language) -> None:
    reader = _Reader()
    reader.feed(letters.compose(fullest(kind, language), HEAD).html)
    assert reader.open == []
    names = {tag for tag, _ in reader.tags}
    assert not names & {"img", "script", "link", "iframe", "form", "video", "object", "base"}
    assert all(attrs.get("role") == "presentation" for tag, attrs in reader.tags if tag == "table")
    for tag, attrs in reader.tags:
        assert "url(" not in (attrs.get("style") or "")
        assert "src" not in attrs
        assert (attrs.get("href") or "https://example.com/").startswith("https://example.com/"), tag
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in reader.tags


def test_an_article_without_a_web_address_is_not_linked(letters: Letters) -> None:
    articles = (ArticleLink("Bread", "javascript:alert(1)"),)
    composed = letters.compose(replace(letter("acknowledgement"), articles=articles), HEAD)
    assert "<a " not in composed.html
    assert "javascript:alert(1)" in composed.html


@pytest.mark.parametrize(("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48)])
def test_contrast_is_that_of_the_standard(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("dark_colour", ["", "#6bd0c4", "#000000"])
@pytest.mark.parametrize("colour", [TINT, "#000000", "#ffffff", "#ffd400", "#00ff00", "#0000ff", "#d6336c", "#777777"])
def test_every_text_colour_stands_out_from_every_ground(letters: Letters, colour: str, dark_colour: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: 4.5 to 1; checked for all pairs, also those that do not meet."""
    head = replace(HEAD, colour=colour, dark_colour=dark_colour)
    notice = replace(sample("acknowledgement", "en"), secrets=("password",), notices=(samples.NOTICE,))
    html = letters.compose(notice, head).html
    (band,) = re.findall(rf"background-color:{colour};[^>]* color:(#[0-9a-f]{{6}});[^>]*>{head.name}<", html)
    assert contrast(band, colour) >= 4.5
    html = html.replace(f"background-color:{colour};", "", 1).replace(f" color:{band};", "", 1)
    dark = html[html.index("@media (prefers-color-scheme: dark)") : html.index("</style>")]
    for theme in (dark, html.replace(dark, "")):
        texts = set(re.findall(r"[ {;\"]color: ?(#[0-9a-f]{6})", theme))
        grounds = set(re.findall(r"background-color: ?(#[0-9a-f]{6})", theme))
        assert len(texts) >= 3
        assert len(grounds) >= 4 - (colour == "#ffffff")  # whose panel is the card
        assert [(t, g) for t in texts for g in grounds if contrast(t, g) < 4.5] == []


def test_letters_of_two_brands_share_no_colour_of_their_own(letters: Letters) -> None:
    form = replace(sample("acknowledgement", "en"), notices=(samples.NOTICE,))
    heads = [replace(HEAD, colour="#8a4b08"), HEAD, replace(HEAD, colour="#1d4ed8", dark_colour="#aabbff")]
    pages = [letters.compose(form, head).html for head in heads]
    for page, head in zip(pages, heads, strict=True):
        shown = look(head.colour, head.dark_colour)
        for colour in (shown.band, shown.tint, shown.panel, shown.dark_tint, shown.dark_panel):
            assert [other for other in pages if colour in other] == [page]
    assert "#aabbff" in pages[2], "a colour that is readable is shown as it is"


def test_what_was_made_ready_need_not_be_compiled_when_a_mail_waits(
    source: TemplateSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = Letters(source)
    letters.make_ready(HEAD)
    monkeypatch.setattr(Environment, "compile", lambda *_, **__: pytest.fail("a template is compiled"))
    for language in LANGUAGES:
        letters.compose(sample("acknowledgement", language), HEAD)


def test_templates_that_break_do_not_keep_the_daemon_from_its_rest(source: TemplateSource) -> None:
    Letters(TemplateSource("templates", {**source.files, ACK: "{{ nothing.of.the.kind }}"})).make_ready(HEAD)


def test_how_an_article_begins_stands_below_it_as_text(letters: Letters) -> None:
    article = ArticleLink("Why deposits wait", "https://help.example/d", "Each block <b>takes</b> a while.")
    composed = letters.compose(replace(sample("acknowledgement", "en"), articles=(article,)), HEAD)
    assert "  * Why deposits wait\n    https://help.example/d\n    Each block <b>takes</b> a while.\n" in composed.text
    assert "Each block &lt;b&gt;takes&lt;/b&gt; a while." in composed.html
