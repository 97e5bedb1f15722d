"""A folder of help articles is read, and each one that cannot be used is named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailticket.config.articles import read_articles
from mailticket.config.files import shipped_folder
from mailticket.topics.exchange import CATEGORIES

KNOWN = frozenset({"deposit", "withdrawal"})
GOOD = "---\ntitle: Why deposits wait\nlanguage: en\ncategories: deposit, withdrawal\naddress: https://help.example/d\n---\n\nText.\n"


def test_an_article_is_read_with_all_that_stands_in_its_front_matter(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "d.md").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    (tmp_path / "README.md").write_text("not an article")
    (tmp_path / "notes.txt").write_text("nor this")
    [article], flaws = read_articles(tmp_path, KNOWN)
    assert flaws == []
    assert (article.title, article.language, article.categories, article.address, article.text) == (
        "Why deposits wait", "en", ("deposit", "withdrawal"), "https://help.example/d", "Text.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ("Just text.\n", 1, "begins without front matter"),
        (GOOD.replace("---\n\nText.\n", ""), 1, "the front matter has no end"),
        (GOOD.replace("title: Why deposits wait\n", ""), 1, "title is missing"),
        (GOOD.replace("title: Why deposits wait", "title:"), 2, "the title must be one line"),
        (GOOD.replace("title:", "titel:"), 2, "'titel: Why deposits wait' is no line of a front matter"),
        (GOOD.replace("language: en", "language: English"), 3, "'English' is no language"),
        (GOOD.replace("categories: deposit,", "categories: deposits,"), 4, "there is no category 'deposits'"),
        (GOOD.replace("https:", "javascript:"), 5, "is no web address"),
        (GOOD.replace("help.example/d", 'help.example/"onclick=x'), 5, "is no web address"),
        (GOOD.replace("help.example/d", "help.example/" + "d" * 300), 5, "is no web address"),
        (GOOD.replace("language: en", "language: en\nlanguage: de"), 4, "language stands there twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, written: str, line: int, said: str) -> None:
    file = tmp_path / "d.md"
    file.write_text(written, encoding="utf-8")
    articles, [flaw] = read_articles(tmp_path, KNOWN)
    assert articles == []
    assert (flaw.file, flaw.line) == (file, line)
    assert said in str(flaw)


def test_one_bad_article_leaves_the_others_standing(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes("---\ntitle: 充值\n".encode("gbk"))
    (tmp_path / "b.md").write_text(GOOD)
    (tmp_path / "c.md").write_text(GOOD)
    articles, flaws = read_articles(tmp_path, KNOWN)
    assert [article.title for article in articles] == ["Why deposits wait"]
    assert [(flaw.file.name, flaw.line) for flaw in flaws] == [("a.md", 2), ("c.md", 0)]
    assert "not UTF-8" in flaws[0].said
    assert "same address" in flaws[1].said


def test_a_missing_folder_is_one_flaw(tmp_path: Path) -> None:
    articles, [flaw] = read_articles(tmp_path / "gone", KNOWN)
    assert articles == []
    assert "no such folder" in flaw.said


def test_the_articles_of_the_demo_are_good_and_stand_in_both_languages() -> None:
    articles, flaws = read_articles(shipped_folder("config") / "articles", frozenset(c.name for c in CATEGORIES))
    assert flaws == []
    english = {a.address.rpartition("/")[2] for a in articles if a.language == "en"}
    assert english == {a.address.rpartition("/")[2] for a in articles if a.language == "zh-Hans"}
    assert len(english) == 12


HEADED = "---\nlanguage: en\ncategories:\naddress: https://help.example/d\n---\n"


@pytest.mark.parametrize(
    ("text", "title", "excerpt"),
    [
        ("# Why *deposits* wait\n\nText.", "Why deposits wait", "Text."),
        ("Why deposits wait\n===\n\nTwo\nlines &amp; `code`.\n\n- no more", "Why deposits wait", "Two lines & code."),
        ("# A\n\nSee [our page](javascript:alert(1)) or <https://help.example/x>.", "A",
         "See [our page](javascript:alert(1)) or https://help.example/x."),
        ("# A\n\nSee [our page](https://help.example/x) now.", "A", "See our page now."),
        ("# A\n\n<script>alert(1)</script>\n\nText <b>bold</b>.", "A", "Text bold."),
        ("# A\n\n" + "word " * 60, "A", ("word " * 31).strip() + "…"),
        ("# A\n\nShort. " + "word " * 60, "A", "Short."),
        ("# 充值\n\n" + "区块确认需要时间。" * 30, "充值", "区块确认需要时间。" * 17),
        ("# A\n\n- only a list", "A", ""),
    ],
)  # fmt: skip
def test_a_heading_may_be_the_title_and_the_first_paragraph_is_quoted_as_text(
    tmp_path: Path, text: str, title: str, excerpt: str
) -> None:
    (tmp_path / "a.md").write_text(f"{HEADED}\n{text}\n", encoding="utf-8")
    [article], flaws = read_articles(tmp_path, frozenset())
    assert (article.title, article.excerpt, flaws) == (title, excerpt, [])


def test_the_title_of_the_front_matter_comes_before_a_heading(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(GOOD.replace("Text.", "# Another\n\nText."), encoding="utf-8")
    [article], _ = read_articles(tmp_path, frozenset({"deposit", "withdrawal"}))
    assert article.title == "Why deposits wait"
