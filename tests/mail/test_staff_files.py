"""Which files of a staff mail leave: its own, but neither a signature's logo nor what was only sent back."""

from __future__ import annotations

from mailticket.mail.staff_files import inline_pictures, staff_files
from mailticket.mail.values import Attachment


def file(sha256: str, *, inline: bool = False, kind: str = "image/png") -> Attachment:
    return Attachment("2", f"{sha256}.bin", kind, 10, sha256, inline)


LOGO = file("logo", inline=True)
PICTURE = file("picture", inline=True)
PDF = file("pdf", kind="application/pdf")


def test_a_logo_seen_before_stays_behind() -> None:
    files = staff_files((LOGO, PICTURE, PDF), seen={"logo"})
    assert (files.leave, files.logos, files.returned) == ((PICTURE, PDF), (LOGO,), ())


def test_a_picture_seen_for_the_first_time_leaves() -> None:
    assert staff_files((LOGO,), seen=()).leave == (LOGO,)


def test_what_was_attached_as_a_file_leaves_though_it_was_seen() -> None:
    attached = file("logo")
    document = file("pdf", inline=True, kind="application/pdf")
    assert staff_files((attached, document), seen={"logo", "pdf"}).leave == (attached, document)


def test_what_the_desk_mail_brought_is_not_sent_back() -> None:
    files = staff_files((PDF, PICTURE, LOGO), seen={"logo", "picture"}, ours={"pdf", "picture"})
    assert (files.leave, files.logos, files.returned) == ((), (LOGO,), (PDF, PICTURE))


def test_the_same_logo_attached_twice_is_told_by_each_place() -> None:
    attached = file("logo")
    files = staff_files((LOGO, attached, LOGO), seen={"logo"})
    assert (files.leave, files.logos) == ((attached,), (LOGO, LOGO))


def test_only_pictures_in_the_text_are_remembered() -> None:
    assert inline_pictures((LOGO, PICTURE, PDF, file("attached"))) == {"logo", "picture"}
