"""What staff tell everybody who writes: notices set, listed and ended. Plain values in and out, so that a socket may
stand before it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mailticket.desk import faces
from mailticket.errors import Refused
from mailticket.letters.notice import LONGEST
from mailticket.secrets import masking
from mailticket.site import Site
from mailticket.store import notices
from mailticket.store.notices import Standing
from mailticket.text.clean import many_lines
from mailticket.text.times import coming
from mailticket.triage.guard import Draft, indiscretions


def set_notice(
    site: Site, actor: str, *, texts: Mapping[str, str], categories: Sequence[str] = (), until: str = ""
) -> dict[str, Any]:
    """Let a notice stand first in letters about these categories, none for all, until then, "" for until it is ended.

    texts: by language, "" for the support's. until: see `text.times.coming`, in the support's time zone. Returns the
    notice as `faces.notice` shows it. Refused for what cannot be shown, with what to write instead.
    """
    now = site.clock()
    texts_by_language = _texts(site, texts)
    wanted = tuple(dict.fromkeys(categories))
    for name in wanted:
        _check_category(site, name)
    try:
        end = coming(until, now, site.settings.zone()) if until.strip() else None
    except ValueError as flaw:
        raise Refused(f"until: {flaw}") from None
    with site.database.write() as session:
        number = notices.add(session, wanted, texts_by_language, end, now, actor)
    site.notices.forget()
    return _face(Standing(number, wanted, texts_by_language, now, actor, end, None, ""), site)


def list_notices(site: Site, *, ended: bool = False) -> list[dict[str, Any]]:
    """The notices that last, the newest first; with `ended` all that ever were."""
    now = site.clock()
    with site.database.read() as session:
        rows = notices.all_of(session) if ended else notices.lasting(session, now)
    return [_face(row, site) for row in rows]


def end_notice(site: Site, actor: str, number: int) -> dict[str, Any]:
    """End a notice now; Refused where it has ended already, NotFound where there is none of this number."""
    now = site.clock()
    with site.database.write() as session:
        before = notices.end(session, number, now, actor)
    if not before.lasts(now):
        raise Refused(f"notice {number} ended {_end(before):%Y-%m-%d %H:%M} UTC already")
    site.notices.forget()
    return _face(replace(before, ended_at=now, ended_by=actor), site)


def _end(notice: Standing) -> datetime:
    return min(moment for moment in (notice.ended_at, notice.until) if moment)


def _face(notice: Standing, site: Site) -> dict[str, Any]:
    """`faces.notice`, the languages without a text of their own, and what letters in them show otherwise."""
    without = [language for language in site.letters.languages if language not in notice.texts]
    support = site.letters.language_for(site.head.language)
    return faces.notice(notice, site.clock()) | {
        "without": without, "otherwise": support if support in notice.texts else "en",
    }  # fmt: skip


def _texts(site: Site, texts: Mapping[str, str]) -> dict[str, str]:
    """The texts by the languages of letters; one of them is a text that any requester can be shown."""
    support = site.letters.language_for(site.head.language)
    with site.database.read() as session:
        prefixes = site.prefixes(session)
    clean: dict[str, str] = {}
    for name, text in texts.items():
        language = _language(site, name) if name else support
        page = many_lines(text.strip(), LONGEST + 1)
        if not page:
            raise Refused(f"the notice in {language} is empty")
        if len(page) > LONGEST:
            raise Refused(f"the notice in {language} is longer than {LONGEST} characters")
        if masking.mask(page, least="sure").sure:
            raise Refused(f"the notice in {language} holds something secret, and everybody would get it")
        for flaw in indiscretions(Draft("", page, "", prefixes=prefixes, staff_addresses=site.roster.addresses)):
            raise Refused(f"everybody would get the notice in {language}, and {flaw.text}")
        if language in clean:
            raise Refused(f"the notice is there twice in {language}")
        clean[language] = page
    if not clean:
        raise Refused("the notice has no text")
    if support not in clean and "en" not in clean:
        others = "in English" if support == "en" else f"in {support} or in English"
        raise Refused(f"whoever reads none of {', '.join(clean)} would see nothing: give the notice {others} too")
    return clean


def _language(site: Site, name: str) -> str:
    """The folder of letters that serves a language as people write it: zh-CN is zh-Hans."""
    language = site.letters.language_for(name)
    known = site.letters.languages
    if name not in known and (language == "en" or language.partition("-")[0] != name.partition("-")[0].lower()):
        raise Refused(f"there are no letters in {name!r}; write one of {', '.join(known)}")
    return language


def _check_category(site: Site, name: str) -> None:
    known = site.categories
    if name not in known:
        like = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {like[0]}?" if like else f"; write one of {', '.join(known)}"
        raise Refused(f"there is no category {name!r}{hint}")
