"""What says nothing about the matter: greetings, signatures, disclaimers, quoted text, the header of a forwarded mail.

A mail's new text comes here with most of its quotes cut already; this is stricter, because what remains decides whether
two requests are alike and is never shown to anybody.
"""

from __future__ import annotations

import re
from itertools import chain

from mailticket.text.patterns import lazy_pattern

LONGEST_TEXT = 8_000  # characters that are compared
_LONGEST_SIGNATURE = 60  # lines
_MATTER = 15  # letters above a business card that say something

_SUBJECT_PREFIX = lazy_pattern(
    r"\s*(?:\[[^\]\n]{0,40}\]|【[^】\n]{0,40}】|(?:re|aw|sv|fw|fwd|wg|tr|rv|antw|回复|答复|转发|转寄|回信|"
    r"回覆)\s{0,3}(?:\[\d+\])?\s{0,3}[:：])",
    re.IGNORECASE,
)
_NO_SUBJECT = lazy_pattern(
    r"[(（<\[]?(?:no subject|kein betreff|sans objet|无主题|無主旨|无标题)[)）>\]]?", re.IGNORECASE
)
_FORWARD_MARK = lazy_pattern(
    r"[\s\-_=*]{0,20}(?:begin )?(?:forwarded (?:message|mail|by)|original (?:message|mail)|"
    r"转发(?:的)?邮件(?:信息)?|原始邮件|"
    r"以下是转发|转寄邮件|原始信件|weitergeleitete nachricht).{0,60}",
    re.IGNORECASE,
)
_FORWARD_FIELD = lazy_pattern(
    r"[\s*>|]{0,6}(?:from|sent|date|to|cc|bcc|subject|reply-to|发件人|发送时间|日期|时间|收件人|抄送|主题|"
    r"寄件者|收件者|寄件人|收件日期|主旨)"
    r"\s{0,3}\*?[:：].{0,300}",
    re.IGNORECASE,
)
_FORWARD_SUBJECT = lazy_pattern(r"[\s*>|]{0,6}(?:subject|主题|主旨)\s{0,3}\*?[:：]\s{0,3}(.{0,200})", re.IGNORECASE)
_ATTRIBUTION = lazy_pattern(
    r"(?:on|am|le|el)\s.{4,120}\b(?:wrote|schrieb|a écrit|escribió)\s?:|.{0,80}(?:写道|写到|寫道)\s?[:：]",
    re.IGNORECASE,
)
_GREETING = lazy_pattern(
    r"\s*(?:"
    r"(?:hi|hello|hey|hallo|dear|greetings|good (?:day|morning|afternoon|evening)|to whom it may concern)\b"
    r"(?: (?:there|all|team|support|sir|madam|sirs|friends?|guys|everyone|customer|service|help|desk|or|"
    r"and|/|[A-Z][\w.&-]{1,20})){0,6}"
    r"|(?:guten (?:tag|morgen|abend)|sehr geehrte\w?|bonjour|hola|buen[oa]s \w{1,6}|ciao|moin|"
    r"grüezi)\b(?: [\w.]{1,20}){0,4}"
    r"|(?:尊敬的|亲爱的|親愛的|敬爱的|敬愛的)?(?:客服|客户服务|客戶服務|管理员|管理員|工作人员|工作人員|"
    r"支持团队|團隊|各位|领导|先生|女士|小编|官方)"
    r"(?:人员|人員|团队|團隊|部门|部門|同事|们|們|小姐姐|大大|/|和|或){0,4}(?:,|，|、)?\s?(?:你们好|您好|"
    r"你好|大家好|早上好|下午好|晚上好)?"
    r"|(?:您好|你好|你们好|妳好|大家好|早上好|下午好|晚上好|哈喽|哈囉|嗨)(?:呀|啊|，客服|,客服)?"
    r")\s*(?:[,，.。!！:：;；~～-]{1,3}|$)",
    re.IGNORECASE,
)
_FORMULA = (
    r"(?:(?:with )?(?:best|kind|warm|many|kindest|warmest)(?: (?:regards|wishes|thanks))?|regards|rgds|br|kr|sincerely|"
    r"yours (?:sincerely|truly|faithfully)|respectfully(?: yours)?|cheers|greetings|"
    r"(?:many |best )?(?:thanks|thank you|thx|tks|ty)(?: (?:so much|very much|a lot|in advance|again|"
    r"and (?:best |kind )?regards|you|for your (?:help|time|support|assistance)))?|"
    r"(?:mit )?(?:freundliche|beste|viele|herzliche|liebe|schöne)n? gr(?:ü|u|ue)(?:ß|ss)(?:en?)?|danke|merci|gracias|"
    r"(?:bien )?cordialement|(?:un )?(?:cordial )?saludos?|atentamente|atenciosamente|(?:cordiali|distinti) saluti|"
    r"met vriendelijke groet(?:en)?|med vänlig hälsning(?:ar)?|(?:med )?venlig hilsen|pozdrawiam|"
    r"с уважением|saygılarımla|"
    r"此致|敬礼|敬禮|祝好|顺祝商祺|順頌商祺|顺颂商祺|祝(?:您|你)?(?:工作)?(?:顺利|愉快|順利|生活愉快|商祺|安好)|敬上|谨上|"
    r"(?:非常)?(?:谢谢|感谢|謝謝|感謝|多谢|多謝)(?:您|你|了|啦|大家|客服|您的帮助|您的幫助)?)"
)
_NAME = r"(?-i:[A-ZÀ-Þ][\w.'-]{0,20}(?: [A-ZÀ-Þ][\w.'-]{0,20}){0,3}|[\u4e00-\u9fff]{2,4})"
_CLOSING = lazy_pattern(
    rf"\s*{_FORMULA}\s*(?:[/,]\s*{_FORMULA})?\s*[,，.。!！~～-]{{0,3}}\s*{_NAME}?\s*[.,。]?$", re.IGNORECASE
)
_SIGNED_NAME = lazy_pattern(
    rf"\s*(?:[-–—]\s?)?(?:dr\.? |prof\.? |mr\.? |mrs\.? |ms\.? |i\.a\. )?{_NAME}\s*[.,]?\s*", re.IGNORECASE
)
_FIRM_CLOSING = lazy_pattern(
    r"\s*(?:(?:with )?(?:best|kind|warm|many|kindest|warmest)\b|regards|sincerely|yours|respectfully|mit |met |med |"
    r"viele |beste |freundliche |herzliche |liebe |cordial|(?:bien |distinti )|atent|atenc|saludos|venlig|"
    r"pozdr|с ува|sayg|"
    r"此致|敬礼|敬禮|祝|顺祝|順頌|顺颂|敬上|谨上)",
    re.IGNORECASE,
)
_CARD_NAME = lazy_pattern(
    r"\s*(?:Dr\.? |Prof\.? |Mr\.? |Mrs\.? |"
    r"Ms\.? )?(?:[A-ZÀ-Þ][\w.'’-]{0,20} ){1,3}[A-ZÀ-Þ][\w.'’-]{1,20}(?:\s*[,|].{2,60})?\s*"
    r"|\s*[\u4e00-\u9fff]{2,4}(?:\s+[\u4e00-\u9fff]{2,12})?\s*"
)
_ROLE = lazy_pattern(
    r"(?i:\b(?:manager|engineer|director|officer|head of|controller|operations|registrar|founder|partner|"
    r"analyst|trader|"
    r"accountant|consultant|assistant|secretary|president|treasurer|administrator|advisor|adviser|lead|owner|editor|"
    r"coordinator|team lead|specialist|attorney|counsel|researcher|lecturer|teacher|nurse|desk)\b)"
    r"|\b(?:CEO|CTO|CFO|COO|CIO|Ltd|Limited|GmbH|Inc|LLC|LLP|SARL|S\.?A\.?S?|AG|AB|AS|Oy|BV|B\.V\.|Plc|PLC|Pty|Corp|"
    r"Co\.|KG|S\.?r\.?l|A\.Ş)(?=[\s.,;|]|$)|\s\|\s|经理|总监|主任|部长|主管|董事|有限公司|集团|股份|财务部|运营部|市场部"
)
# Details that people put below their names all the same.
_BELOW_SIGNATURE = lazy_pattern(
    r"\b(?:uid|tx ?id|hash|order|account|user ?id|client|customer|invoice)\b\s?(?:no\.?|number|id|"
    r"nr\.?)?\s?[:：#]|订单|单号|账号|"
    r"帳號|訂單|哈希|^\s*p\.?\s?s\b",
    re.IGNORECASE,
)
_DETAIL = lazy_pattern(r"[:：#=]|\d{5}|[0-9a-f]{12}|[?？!！。]\s*$", re.IGNORECASE)
_DEVICE_LINE = lazy_pattern(
    r"\s*(?:sent (?:from|via|with) .{1,60}|get outlook for .{1,40}|von meinem .{1,40}gesendet|发自.{1,40}|發自.{1,40}|"
    r"从我的.{1,30}发送|從我的.{1,30}(?:傳送|發送)|来自.{1,20}(?:手机|邮箱|客户端)|此邮件由.{1,40}发送)\s*",
    re.IGNORECASE,
)
_DISCLAIMER = lazy_pattern(
    r"confidential|intended (?:recipient|solely|only|for)|disclaimer|privileged|unauthori[sz]ed (?:use|"
    r"disclosure|copying|review)|"
    r"if you (?:have received|are not|received) this|please consider the environment|virus[- ]free|"
    r"(?:本|此)(?:电子)?(?:邮件|郵件|信件).{0,30}(?:保密|机密|機密|仅供|僅供|专供|收件人)|误收|誤收|"
    r"vertraulich|nicht der richtige (?:adressat|empfänger)|confidentiel|confidencial|riservat[oe]|vertrouwelijk|poufn|"
    r"免责声明|免責聲明|切勿(?:泄露|洩露|转发|轉發)|保护环境|环保",
    re.IGNORECASE,
)
_CONTACT = lazy_pattern(
    r"(?:tel|phone|mobile|cell|fax|e-?mail|mail|web|www|skype|wechat|whatsapp|telegram|qq|电话|電話|手机|"
    r"手機|邮箱|郵箱|传真|傳真|微信|地址)"
    r"\s?[.:：]|https?://|www\.|[\w.+-]{1,64}@[\w-]{1,63}\.|^\s*\+?[\d ()./-]{9,20}\s*$",
    re.IGNORECASE,
)


def bare_subject(subject: str) -> str:
    """The subject without reply and forward marks and without bracketed tags in front."""
    subject = subject[:500]
    while match := _SUBJECT_PREFIX.match(subject):
        subject = subject[match.end() :]
    subject = subject.strip()
    return "" if _NO_SUBJECT.fullmatch(subject) else subject


def is_reply(subject: str) -> bool:
    """Whether the subject begins with a mark of a reply or a forward, such as "Re:" or "转发："."""
    match = _SUBJECT_PREFIX.match(subject)
    return match is not None and match.group().rstrip()[-1:] in (":", "：")


def forwarded_subject(text: str) -> str:
    """The subject that a forwarded mail's header block inside the text names, or ""."""
    lines = text[:LONGEST_TEXT].splitlines()
    match = next((m for line in lines[:60] if (m := _FORWARD_SUBJECT.fullmatch(line[:300]))), None)
    return bare_subject(match.group(1)) if match else ""


def content(text: str) -> str:
    """The lines of a text that speak of the matter, at most LONGEST_TEXT characters of it."""
    lines = [line[:2_000] for line in text[:LONGEST_TEXT].splitlines()]
    lines = _without_quotes(lines)
    lines = _without_closing(lines)
    lines = _without_disclaimers(lines)
    return "\n".join(_without_greeting(lines)).strip()


def _without_quotes(lines: list[str]) -> list[str]:
    kept = [line for line in lines if not line.lstrip().startswith((">", "|>"))]
    return [
        line
        for line in kept
        if not (
            _FORWARD_MARK.fullmatch(line[:200])
            or _FORWARD_FIELD.fullmatch(line)
            or _ATTRIBUTION.fullmatch(line.strip()[:220])
            or _DEVICE_LINE.fullmatch(line[:120])
        )
    ]


def _without_closing(lines: list[str]) -> list[str]:
    """The lines above a signature mark, a closing formula or a business card, and the details that stand below it."""
    for index in range(max(1, len(lines) - _LONGEST_SIGNATURE), len(lines)):
        line = lines[index]
        mark = line.rstrip() in ("--", "—", "__", "___") or re.fullmatch(r"\s*[-_=*—─]{5,80}\s*", line[:100])
        closing = _CLOSING.fullmatch(line[:120])
        card = _CARD_NAME.fullmatch(line[:100])
        if not (mark or closing or card):
            continue
        rest = [below for below in lines[index + 1 :] if below.strip()]
        firm = closing and _FIRM_CLOSING.match(line)
        below = rest if mark or closing else [line.partition(",")[2] or line.partition("|")[2], *rest]
        letters = _letters(lines[:index], _MATTER)
        signature = (mark or (closing and letters >= 4)) and _is_signature(rest)
        # A "thanks" in front of a matter closes nothing.
        if signature or ((firm or _is_card(below)) and letters >= _MATTER):
            return lines[:index] + [detail for detail in rest if _BELOW_SIGNATURE.search(detail)]
    return _without_contact_block(lines)


def _is_card(lines: list[str]) -> bool:
    """Whether the first lines name a role, a company or a way to reach it."""
    return any(_ROLE.search(line[:160]) for line in lines[:2]) or any(
        _CONTACT.search(line[:160]) for line in lines[1:3]
    )


def _letters(lines: list[str], enough: int) -> int:
    """How many letters stand there beside a greeting; a Chinese character counts for three. Counted until enough."""
    count = 0
    for symbol in filter(str.isalpha, chain.from_iterable(_without_greeting(lines))):
        count += 3 if symbol > "\u3400" else 1
        if count >= enough:
            break
    return count


def _is_signature(rest: list[str]) -> bool:
    """Name, title, company, addresses: few lines, or a disclaimer behind them."""
    short = [line for line in rest if len(line) <= 80 and not _DISCLAIMER.search(line)]
    return len(short) <= 10 and all(len(line) <= 80 or _DISCLAIMER.search(line) for line in rest)


def _without_contact_block(lines: list[str]) -> list[str]:
    """A last block of short lines that names the sender, or a way to reach them, and no detail is a signature."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and lines[start - 1].strip():
        start -= 1
    block = lines[start:end]
    if not start or len(block) > 8 or any(len(line) > 70 for line in block):
        return _without_last_name(lines[:end])
    contact = any(_CONTACT.search(line) for line in block)
    plain = [line for line in block if not _CONTACT.search(line)]
    if any(_DETAIL.search(line) for line in plain) or not (contact or _SIGNED_NAME.fullmatch(block[0])):
        return _without_last_name(lines[:end])
    return lines[:start]


def _without_last_name(lines: list[str]) -> list[str]:
    """People sign with a line that holds their name and nothing else."""
    return lines[:-1] if len(lines) > 1 and len(lines[-1]) <= 40 and _SIGNED_NAME.fullmatch(lines[-1]) else lines


def _without_disclaimers(lines: list[str]) -> list[str]:
    """Paragraphs that hold words of a disclaimer and are longer than a person's sentence about one."""
    return [line for line in lines if not (len(line) > 40 and _DISCLAIMER.search(line))]


def _without_greeting(lines: list[str]) -> list[str]:
    for index, line in enumerate(lines):
        if line.strip():
            rest = line
            for _ in range(2):
                match = _GREETING.match(rest)
                rest = rest[match.end() :] if match else rest
            return [rest, *lines[index + 1 :]]
    return lines
