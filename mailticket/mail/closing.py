"""What stands below the words of an answer and may not leave with them: signatures, programs' lines, disclaimers."""

from __future__ import annotations

import re

from mailticket.mail.headings import is_mobile_signature, is_rule
from mailticket.text.patterns import lazy_pattern

_MOST_LINES = 12  # below two dashes without the blank of RFC 3676, which people draw between parts as well
_MOST_CLOSING = 200  # lines in which a closing is sought
_MOST_CUTS = 20  # pieces of a closing
_DASHES = frozenset(("--", "—", "––", "- -"))
_DEVICE = (
    r"(?:i(?:phone|pad|cloud|os)\b|android|galaxy|samsung|三星|huawei|华为|華為|honor|荣耀|榮耀|xiaomi|小米|redmi|红米|紅米"
    r"|oppo|vivo|oneplus|pixel|xperia|motorola|nokia|blackberry|smartphone|mobil|handy|phone|tablet|téléphone|telefon"
    r"|手机|手機|移动|行動|outlook|gmail|yahoo|proton ?mail|thunderbird|\baol\b|\bzoho\b|windows|\bhcl\b|foxmail|\bqq"
    r"|网易|網易|163|邮箱|郵箱|信箱|邮件|郵件|飞书|飛書|钉钉|釘釘|企业微信|mail (?:for|app|master)|\bmail$)"
)
_SENT_FROM = (
    r"(?:sent|get|verzonden|enviado|envoyé|inviato|skickat|wysłan[eoy]|отправлено)"
    r" (?:from|for|vanaf|desde|do|depuis|de|da|från|z|с|из) (?:\S{1,20} ){0,3}"
)
_SENT_WITH = lazy_pattern(
    rf"{_SENT_FROM}(?:{_DEVICE}|spark$).{{0,60}}"
    rf"|sent (?:via|with|using) (?:my |the )?(?:{_DEVICE}|spark|mailbird|newton).{{0,40}}"
    rf"|gesendet (?:von|mit) (?:\S{{1,20}} ){{0,3}}(?:{_DEVICE}|app\b).{{0,40}}"
    rf"|(?:diese nachricht wurde )?von mein\w{{0,3}} .{{0,20}}{_DEVICE}.{{0,30}}gesendet"
    r"|get outlook .{1,30}|(?:holen sie sich )?outlook für .{1,20}|i(?:phone|pad)(?:から送信|에서 보냄)"
    # "Send it from your mailbox" is an answer's own sentence.
    rf"|[从從由](?!.{{0,20}}[您你])(?:我的)?.{{0,20}}{_DEVICE}.{{0,12}}(?:发送|發送|傳送|寄出|发出)"
    rf"|(?:发|發|寄|傳送|发送|發送|[来來](?=自我的|自 ?outlook))自.{{0,20}}{_DEVICE}.{{0,20}}"
    r"|(?:获取|取得|下载|下載) ?.{0,12}outlook.{0,20}|(?:下载|下載)?(?:适用于|適用於).{0,12}outlook.{0,20}",
    re.IGNORECASE,
)
_LINK = lazy_pattern(r"[(<\[]{0,2}(?:https?|mailto):[^\s<>]{1,500}", re.IGNORECASE)
_CARD_END = lazy_pattern(r"[签簽]名由.{0,30}(?:定制|生成)|signature is customized by .{1,40}", re.IGNORECASE)
_PICTURE = lazy_pattern(r"\[cid:[^\]\s]{1,200}\]")  # what Outlook writes in plain text where a picture stands
_BRACKETS = dict.fromkeys(map(ord, "[]()<>"), " ")
_ONLY_ADDRESS = lazy_pattern(r"\s{0,20}[^\s<>@]{1,64}@[^\s<>@]{1,255}\s{0,20}")
_CARD_LINE = lazy_pattern(r"[|\s]*")
_NOTICE_HEAD = lazy_pattern(
    r"[\W_]{0,10}(?:legal )?(?:disclaimer|confidentiality(?: notice| note)?|haftungsausschluss"
    r"|免责声明|免責聲明|保密声明|保密聲明|重要提示|机密声明)\b",
    re.IGNORECASE,
)
_NOTICE = lazy_pattern(
    r"(?P<a>intended (?:solely |only |exclusively )?(?:recipients?|addressees?|for the)|solely for the use)"
    r"|(?P<b>(?:received|receive|got) (?:this|it|the)[^.]{0,40} (?:in error|by mistake)|errors? or omissions)"
    r"|(?P<c>unauthori[sz]ed|strictly prohibited|prohibited\b|disclosure|dissemination)"
    r"|(?P<d>(?:e-?mail|message|communication)[^.]{0,60}(?:confidential|privileged)|confidential(?:ity)?[^.]{0,40}"
    r"(?:e-?mail|message|information))"
    r"|(?P<e>delete (?:it|this|the|all)|destroy (?:it|this|all)|notify (?:the sender|us)|contact the sender)"
    r"|(?P<f>no liability|not accept liability)"
    r"|(?P<g>vertrauliche|bestimmungsgemäß|irrtümlich erhalten|unbefugte)"
    r"|(?P<h>[本此](?:邮件|郵件|电子邮件|電子郵件|信件)(?:及|內|内|的|中|所|仅|僅|可能|包含|含)|收件人(?:使用|本人|专用))"
    r"|(?P<i>保密|机密|機密|专有)|(?P<j>误收|誤收|错误收到|錯誤收到|非指定|非本邮件|不是(?:本|指定|预定))"
    r"|(?P<k>立即删除|立即刪除|请(?:立即|马上)?(?:删除|销毁|通知)|請(?:立即)?(?:刪除|銷毀|通知)|严禁|嚴禁|禁止)",
    re.IGNORECASE,
)
_FOOTER = lazy_pattern(
    r"consider the environment|before printing|virus-free|(?:scanned|checked) (?:for|by) .{0,30}(?:virus|avast|avg)"
    r"|auf viren geprüft|保护环境.{0,20}打印|保護環境.{0,20}列印|无病毒",
    re.IGNORECASE,
)
_SHORT = 300  # characters of what programs and companies put below every mail
_LEAST_SIGNS = 2  # of a notice, in one paragraph
_LONGEST = 20_000  # characters of one paragraph that are looked at


def without_closing(lines: list[str]) -> tuple[list[str], bool]:
    """The lines without what closes them, and whether that is sure.

    Cut is what follows `-- ` (RFC 3676 section 4.3), the lines of phones and of programs, company notices at the end,
    and the places of pictures. Not sure: a line that could be such a one or the writer's, and long text below dashes
    without their blank.
    """
    sure = True
    kept, below_dashes = _above_dashes([_PICTURE.sub("", line) if "[cid:" in line else line for line in lines])
    if below_dashes:
        sure = len(below_dashes) <= _MOST_LINES
    kept = _without_end(kept)
    body, end = kept[:-_MOST_CLOSING], kept[-_MOST_CLOSING:]
    for _ in range(_MOST_CUTS):
        shorter = _without_end(_without_card(_without_notice(_without_program(end))))
        if len(shorter) == len(end):
            break
        end = shorter
    kept = body + end
    # Below such a line somebody wrote on: it goes all the same, for it says with what, and nothing else.
    kept = [line for line in kept if not is_program_line(line)]
    return _without_end(kept), sure and not (kept and is_mobile_signature(kept[-1]))


def is_program_line(line: str) -> bool:
    """ "Sent from my iPhone" and the like, which names a device or program."""
    if len(line) > 600:
        return False
    bare = " ".join(_LINK.sub("", line).translate(_BRACKETS).split()).strip("-*_| ").rstrip(".。")
    return 4 <= len(bare) <= 100 and _SENT_WITH.fullmatch(bare) is not None


def _signs(paragraph: str) -> int:
    """How many different signs of a company's notice about confidentiality, viruses or paper a paragraph has."""
    text = paragraph[:_LONGEST]
    signs = {match.lastgroup for match in _NOTICE.finditer(text)}
    short = len(text) < _SHORT and _FOOTER.search(text) is not None
    return len(signs) + (_NOTICE_HEAD.match(text) is not None) + _LEAST_SIGNS * short


def _above_dashes(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines above the first signature mark, and those with text below it where the mark lacks its blank."""
    for at, line in enumerate(lines):
        if line.rstrip("\r") == "-- ":
            return lines[:at], []
        if line.strip() in _DASHES:
            return lines[:at], [below for below in lines[at + 1 :] if below.strip()]
    return lines, []


def _without_end(lines: list[str]) -> list[str]:
    """The lines without blank ones and rules at their end."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or is_rule(lines[end - 1])):
        end -= 1
    return lines[:end]


def _without_program(lines: list[str]) -> list[str]:
    """The lines without a program's line at their end, and a link to the program below it."""
    end = len(lines)
    if end > 1 and not _LINK.sub("", lines[end - 1]).strip("<>()[] \t"):
        end -= 1
    return lines[: end - 1] if end and is_program_line(lines[end - 1]) else lines


def _without_notice(lines: list[str]) -> list[str]:
    """The lines without a notice at their end: a paragraph with several signs, and those with one below it."""
    end = len(lines)
    while True:
        end = len(_without_end(lines[:end]))
        start = end
        while start and lines[start - 1].strip() and not is_rule(lines[start - 1]):
            start -= 1
        signs = _signs(" ".join(lines[start:end])) if start < end else 0
        if signs >= _LEAST_SIGNS:
            return lines[:start]
        if not signs:
            return lines
        end = start


def _without_card(lines: list[str]) -> list[str]:
    """The lines without the writer's card: NetEase's programs draw it with bars, Foxmail as an address below a rule."""
    if len(lines) > 1 and is_rule(lines[-2]) and _ONLY_ADDRESS.fullmatch(lines[-1]):
        return lines[:-2]
    if not lines or not _CARD_END.fullmatch(lines[-1].strip().strip("|").strip()):
        return lines
    start = len(lines) - 1
    for at in range(len(lines) - 2, max(-1, len(lines) - 2 - _MOST_LINES), -1):
        if "|" in lines[at] and _CARD_LINE.fullmatch(lines[at]):
            start = at
    return lines[:start]
