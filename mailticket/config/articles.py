"""The help articles of a folder: Markdown files with a small front matter, each read or named with what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mailticket.config.markdown import heading_and_excerpt
from mailticket.topics.articles import Article

_LARGEST = 256 * 1024  # bytes of a file
_MOST_FILES = 2000
_KEYS = ("title", "language", "categories", "address")
_LONGEST_TITLE = 100  # characters; letters show no more
_LONGEST_ADDRESS = 300
_FENCE = "---"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?")
# RFC 3986 characters only: what stands in a letter must be the same when it is clicked.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9\[][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with an article, or with the folder: where it stands, and what to do."""

    file: Path
    line: int
    said: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.said}" if self.line else f"{self.file}: {self.said}"


def read_articles(folder: Path, categories: frozenset[str]) -> tuple[list[Article], list[Flaw]]:
    """The articles of a folder and its subfolders in order of path, and what is wrong with the others.

    categories: the names of the configured ones, which an article may belong to. Never raises; a file with a flaw is
    left out. README files are not articles.
    """
    articles: list[Article] = []
    flaws: list[Flaw] = []
    seen: dict[str, Path] = {}
    if not folder.is_dir():
        return [], [Flaw(folder, 0, "there is no such folder; make it, or correct [articles] folder")]
    for file in _files(folder):
        try:
            article = _article(file, categories)
        except _Flawed as flawed:
            flaws.append(Flaw(file, flawed.line, flawed.said))
            continue
        if article.address in seen:
            flaws.append(Flaw(file, 0, f"has the same address as {seen[article.address]}; give each its own"))
            continue
        seen[article.address] = file
        articles.append(article)
    return articles, flaws


class _Flawed(Exception):
    """Why a file is no article; `line` counts from 1, 0 is the file as a whole."""

    def __init__(self, line: int, said: str) -> None:
        super().__init__(said)
        self.line, self.said = line, said


def _files(folder: Path) -> list[Path]:
    found = (p for p in folder.rglob("*.md") if p.is_file() and not p.name.lower().startswith(("readme", ".")))
    return sorted(found)[:_MOST_FILES]


def _article(file: Path, categories: frozenset[str]) -> Article:
    lines = _text(file).split("\n")
    given, body = _front_matter(lines)
    text = "\n".join(lines[body:]).strip()
    heading, excerpt = heading_and_excerpt(text)
    if heading:
        given.setdefault("title", (body + 1, heading))
    for key in _KEYS:
        if key not in given:
            also = ", or the text a first heading" if key == "title" else ""
            raise _Flawed(1, f"{key} is missing; the front matter needs {', '.join(_KEYS)}{also}")
    return Article(
        title=_title(*given["title"]),
        language=_language(*given["language"]),
        categories=tuple(_categories(*given["categories"], categories)),
        address=_address(*given["address"]),
        text=text,
        excerpt=excerpt,
    )


def _text(file: Path) -> str:
    try:
        data = file.read_bytes() if file.stat().st_size <= _LARGEST else None
    except OSError as error:
        raise _Flawed(0, f"cannot be read: {error.strerror}; correct its permissions") from None
    if data is None:
        raise _Flawed(0, "is larger than 256 kB; that is no help article")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _Flawed(line, "is not UTF-8; save it as UTF-8") from None


def _front_matter(lines: list[str]) -> tuple[dict[str, tuple[int, str]], int]:
    """The keys with the number of their line, and the index of the first line of the text."""
    if not lines or lines[0].strip() != _FENCE:
        raise _Flawed(1, f"begins without front matter; the first line must be {_FENCE}")
    given: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.strip() == _FENCE:
            return given, number
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if not colon or key not in _KEYS:
            raise _Flawed(number, f"{line.strip()[:60]!r} is no line of a front matter; it has {', '.join(_KEYS)}")
        if key in given:
            raise _Flawed(number, f"{key} stands there twice")
        given[key] = (number, _unquoted(value.strip()))
    raise _Flawed(1, f"the front matter has no end; put {_FENCE} on a line of its own behind it")


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" else value


def _title(line: int, value: str) -> str:
    if not value or len(value) > _LONGEST_TITLE or not value.isprintable():
        raise _Flawed(line, f"the title must be one line of 1 to {_LONGEST_TITLE} characters")
    return value


def _language(line: int, value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise _Flawed(line, f"{value!r} is no language; write it as the folder of templates, such as en or zh-Hans")
    return value


def _categories(line: int, value: str, known: frozenset[str]) -> Iterator[str]:
    """The names in `deposit, withdrawal` or `[deposit, withdrawal]`; none for an article that belongs to any."""
    for name in (part.strip() for part in value.removeprefix("[").removesuffix("]").split(",")):
        if name and name not in known:
            raise _Flawed(line, f"there is no category {name!r}; there are {', '.join(sorted(known))}")
        if name:
            yield name


def _address(line: int, value: str) -> str:
    if len(value) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(value):
        raise _Flawed(line, f"{value[:60]!r} is no web address; write https://... of at most {_LONGEST_ADDRESS} "
                            "characters, others than ASCII percent-encoded")  # fmt: skip
    return value
