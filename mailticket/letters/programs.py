"""Which files of requesters are never put before staff: what may run something, and what may hold such things."""

from __future__ import annotations

import re

from mailticket.letters.values import File
from mailticket.text.patterns import lazy_pattern

# What runs, or makes a program of the desk run something, when somebody opens it; and what such things are packed in,
# for many mail servers refuse a mail with a program in an archive, and a desk mail that bounces helps nobody.
_ENDINGS = """
    exe com scr pif bat cmd msi msp mst jar jse js mjs vb vbe vbs ws wsf wsh wsc ps1 psm1 psd1 hta lnk url cpl reg dll
    sys ocx drv apk xapk app appx msix dmg pkg deb rpm run bin elf so sh bash zsh csh ksh command py pyc pyw pl rb php
    asp aspx jsp chm hlp inf ins isp gadget application appref-ms msc scf sct shb shs settingcontent-ms library-ms
    desktop workflow action scpt applescript terminal xbap xll xla xlam xlm xlsm xltm xlsb docm dotm pptm potm ppam
    ppsm sldm accda accdb accde mda mdb mde ade adp one onepkg iqy slk rtf wll ppa htm html xhtml xht shtml mht mhtml
    svg svgz xml xsl xslt swf eml msg ics vcf torrent
    zip zipx rar r00 7z gz tgz bz2 tbz tbz2 xz txz lz lzma zst z tar cab arj ace lha lzh cpio iso img vhd vhdx udf wim
"""
_PROGRAMS = frozenset(_ENDINGS.split())
_TYPES = lazy_pattern(
    r"text/(html|javascript|xml|x-\w*(script|sh|python|perl))|application/(x-ms|x-dos|x-exe|x-sh|x-java|java|x-python|x-perl"
    r"|javascript|ecmascript|hta|xml|xhtml|zip|x-zip|gzip|x-gzip|x-tar|x-7z|x-rar|vnd\.rar|x-bzip|x-xz|zstd"
    r"|vnd\.microsoft\.portable|vnd\.android|x-elf|x-iso|x-apple|x-debian|x-rpm)|image/svg|message/|.*macroenabled",
    re.IGNORECASE,
)
_OFFICE = ("docx", "xlsx", "pptx", "dotx", "xltx", "potx", "ppsx", "odt", "ods", "odp", "odg", "epub", "pages",
           "numbers", "key")  # fmt: skip
_BEGINNINGS = (
    b"MZ", b"\x7fELF", b"#!", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"MSCF",
    b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"L\x00\x00\x00\x01\x14\x02",
)  # fmt: skip


def is_program(file: File) -> bool:
    """Whether a file may run something, or is an archive, by its name's ending, its type or its first bytes."""
    endings = file.name.lower().rstrip(". \t").split(".")[1:]
    ending = endings[-1].strip() if endings else ""
    if ending in _PROGRAMS or _TYPES.match(file.type):
        return True
    start = file.content[:16]
    if start.startswith(b"PK\x03\x04"):
        return ending not in _OFFICE
    return start.startswith(_BEGINNINGS)
