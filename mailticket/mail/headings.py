"""The other signs of history and closing in a mail's text: header blocks, separators, forwards, signatures."""

from __future__ import annotations

import re

from mailticket.text.patterns import lazy_pattern

MAX_LINE = 400
MAX_BLOCK = 40  # lines
_DASHES = "-_=—–"
_RULES = frozenset("-_=—–─━")

_LABELS: dict[str, str] = {}
for _kind, _words in {
    "from": "from|von|de|da|od|от|от кого|från|fra|lähettäjä|kimden|gönderen|van|发件人|發件人|寄件者|寄件人"
    "|差出人|送信者"
    "|보낸 사람|보낸사람|feladó|de la|từ",
    "date": "sent|date|gesendet|gesendet am|datum|envoyé|envoyé le|date d'envoi|enviado|enviado el|enviado em"
    "|enviada em"
    "|enviado a las|fecha|data|inviato|data invio|verzonden|wysłano|wysłane|дата|отправлено|skickat|sendt|dato"
    "|lähetetty"
    "|päivämäärä|gönderildi|tarih|发送时间|发送日期|發送時間|傳送時間|寄件日期|日期|时间|送信日時|日時|送信日"
    "|보낸 날짜|날짜|odesláno|gửi",
    "to": "to|an|à|a|para|do|aan|кому|till|til|vastaanottaja|kime|alıcı|收件人|收件者|宛先|받는 사람|받는사람"
    "|komu|tới|către",
    "subject": "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|temat|тема|ämne|emne|aihe|konu|主题|主題"
    "|主旨|标题|件名"
    "|제목|předmět|tárgy|chủ đề|subiect",
    "other": "cc|kopie|copie|copia|cópia|kopia|dw|do wiadomości|копия|抄送|副本|抄送人|참조|reply-to|antwort an"
    "|importance|priority"
    "|wichtigkeit|priorität|attachments|anlagen|anhänge|pièces jointes|organization|organisation|附件|重要性|bcc|kopi",
}.items():
    _LABELS.update(dict.fromkeys(_words.split("|"), _kind))

_SENT = [
    "sent",
    "gesendet",
    "gesendet am",
    "envoyé",
    "envoyé le",
    "enviado",
    "enviado el",
    "enviado em",
    "enviada em",
    "inviato",
    "verzonden",
    "wysłano",
    "wysłane",
    "отправлено",
    "skickat",
    "sendt",
    "lähetetty",
    "gönderildi",
    "发送时间",
    "发送日期",
    "發送時間",
    "傳送時間",
    "寄件日期",
    "送信日時",
    "보낸 날짜",
    "odesláno",
]

_FIELD = lazy_pattern(r"[\s>|*_]{0,12}([^\W\d_][^:：|]{0,24}?)[\s*_]{0,4}[:：|][\s*_|]{0,8}(.*)")
_ADDRESS = lazy_pattern(r"[^\s<>@]{1,100}@[^\s<>@]{1,200}")
_HAS_DATE = lazy_pattern(r"\d{1,4}\D{1,12}\d{1,4}")

_SEPARATORS = lazy_pattern(
    r"original(?= ?[-_=—–]|$)|original message|original appointment|ursprüngliche nachricht|ursprungliche nachricht"
    r"|original-nachricht|originalnachricht|message d'origine|message d’origine|message original|message initial"
    r"|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|oorspronkelijke bericht"
    r"|origineel bericht|oryginalna wiadomość|wiadomość oryginalna|исходное сообщение|оригинальное сообщение"
    r"|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|orijinal mesaj"
    r"|özgün ileti|původní zpráva|eredeti üzenet|thư gốc|repl(?:y|ied) message|原始邮件|原始郵件|原邮件"
    r"|原郵件|回复的原邮件|原始信息|原始訊息|原件|元のメッセージ|원본 메시지|원본 메일|original mail",
    re.IGNORECASE,
)
_FORWARDS = lazy_pattern(
    r"forwarded (?:message|mail|email|by)|begin forwarded message|weitergeleitete nachricht|weitergeleitete e-mail"
    r"|anfang der weitergeleiteten (?:nachricht|e-mail)|message transféré|début du message (?:transféré|réexpédié)"
    r"|mensaje reenviado|inicio del mensaje reenviado|mensagem (?:en|reen)caminhada"
    r"|início da mensagem (?:en|reen)caminhada|messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht"
    r"|begin doorgestuurd bericht|przekazana wiadomość|wiadomość przekazana|początek przekazywanej wiadomości"
    r"|treść przekazanej wiadomości|пересылаемое сообщение|пересланное сообщение|начало переадресованного сообщения"
    r"|vidarebefordrat (?:brev|meddelande)|videresendt (?:meddelelse|melding)|iletilen (?:mesaj|ileti)|转发的邮件"
    r"|转发邮件|转发邮件信息|被转发邮件信息|开始转发的邮件|已转发(?:的)?邮件|轉寄的郵件|轉寄郵件|轉寄訊息"
    r"|転送されたメッセージ|転送メッセージ|転送されたメール|전달된 메일|전달된 메시지|전달된 메세지",
    re.IGNORECASE,
)
_FORWARD_SUBJECT = lazy_pattern(
    r"\s*(?:(?:re|aw|sv|回复|答复|回覆)\s?[:：]\s*)?(?:\[?fwd?|wg|tr|rv|enc|i|doorst|pd|vs|vb|vl|ilt|转发|轉寄|転送"
    r"|전달)\s?[:：]",
    re.IGNORECASE,
)
_REPLY_SUBJECT = lazy_pattern(
    # What gateways set before it: "[External]", "(EXT)", "*** SPAM ***".
    r"\s*(?:(?:\[[^\]]{1,40}\]|\([^)]{1,40}\)|\*{2,5}[^*:]{1,30}\*{2,5}|ext(?:ern|ernal)?\b)\s?[:：]?\s*){0,4}"
    r"(?:re|aw|antw(?:ort)?|sv|vs|vá|odp|odg|отв(?:ет)?|отг|відп(?:овідь)?|ynt|yan|rif|r|res(?:p|posta)?|rép"
    r"|bls|bal|atb|ats|απ|σχετ|tl|trả lời|hồi âm|ตอบ(?:กลับ)?|رد|الرد|השב|תגובה|reply|回[复覆復信]|答[复覆復]"
    r"|返信|회신|답장|답변)"
    r"\s?(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3}|\d{1,3})?\s?[:：]",
    re.IGNORECASE,
)
_MOBILE = lazy_pattern(
    r"(?:sent (?:from|via|with|using)|get outlook for|von meinem|gesendet (?:von|mit)"
    r"|diese nachricht wurde von meinem|envoyé (?:de|depuis|à partir)|enviado (?:desde|do|de|a partir)|inviato da"
    r"|verzonden (?:vanaf|met|via)|verstuurd vanaf|wysłan[eoy] z|отправлено (?:с|из)|skickat från|sendt fra|lähetetty"
    r"|i(?:phone|pad|os)(?:から送信|에서 보냄)|发自|來自我的|来自我的|发送自|從我的|从我的|傳送自|寄自|获取 ?outlook"
    r"|取得 ?outlook|나의 ?i(?:phone|pad)에서|outlook for)",
    re.IGNORECASE,
)
_POINTS_DOWN = lazy_pattern(
    r"\b(?:below|inline|in-line|in line|beneath|forward(?:ed|ing)?|fyi|f\.y\.i|interspersed|between the lines|in red"
    r"|in blue|unten|untenstehend|weitergeleitet|ci-dessous|abajo|más abajo|abaixo|qui sotto|di seguito|hieronder"
    r"|poniżej|ниже|this (?:e-?mail|message|mail)|following (?:e-?mail|message|mail))\b|以下|下面|如下|见下|見下|下方"
    r"|转发|轉寄|这封邮件|這封郵件|这个邮件|下記|以下の|転送|아래|전달",
    re.IGNORECASE,
)


def points_down(text: str) -> bool:
    """Whether the writer refers to what stands below, which then belongs to what the writer says."""
    return text.rstrip().endswith((":", "：")) or _POINTS_DOWN.search(text[-1500:]) is not None


def is_forward_subject(subject: str) -> bool:
    """Whether the subject marks a forward ("Fwd:", "WG:", "转发："), whose text below is what the mail is about."""
    return _FORWARD_SUBJECT.match(subject[:80]) is not None


def is_reply_subject(subject: str) -> bool:
    """Whether the subject says that the mail answers another ("Re:", "AW:", "回复："), in any language."""
    return _REPLY_SUBJECT.match(subject[:200]) is not None


def _framed(line: str, phrases: re.Pattern[str], *, colon_too: bool) -> bool:
    """A phrase alone between dashes, or (where programs write it so) alone before a colon."""
    stripped = line.strip().lstrip("> |\t\u00a0*").rstrip("* |\t\u00a0")
    if not 4 <= len(stripped) <= 120 or not (stripped[0] in _DASHES or (colon_too and stripped[-1] in ":：")):
        return False
    bare = stripped.strip("-—–_= \t\u00a0")
    match = phrases.match(bare)
    if not match:
        return False
    rest = bare[match.end() :].strip()
    dashed = stripped.startswith(("--", "——", "__", "==", "- -")) and (
        stripped.endswith(("-", "—", "_", "=")) or len(rest) <= 60
    )
    return dashed or (colon_too and rest in (":", "："))


def is_separator(line: str) -> bool:
    """ "-----Original Message-----" and its translations."""
    return _framed(line, _SEPARATORS, colon_too=False)


def is_forward_heading(line: str) -> bool:
    """ "---------- Forwarded message ---------", "Begin forwarded message:" and their translations."""
    return _framed(line, _FORWARDS, colon_too=True)


def is_rule(line: str) -> bool:
    """A line of underscores or dashes alone, as Outlook draws above a header block."""
    bare = line.lstrip("> *\t\u00a0")
    if bare[:1] not in _RULES:
        return False
    bare = bare.rstrip()
    return len(bare) >= 3 and not bare.strip("-_=*—–─━ \t\u00a0")


def is_mobile_signature(line: str) -> bool:
    """ "Sent from my iPhone" and the like: one short line that makes no sentence with others."""
    bare = line.strip().strip("-*_[]()<> \t\u00a0").rstrip(".。")
    if not bare or len(bare) > 90 or not _MOBILE.match(bare):
        return False
    without_link = re.sub(r"[(<]?https?://\S+", "", bare)
    return not re.search(r"[,;!?，。！？；]|\.(?:\s|$)", without_link) and len(without_link.split()) <= 10


def header_block(lines: list[str], start: int) -> int:
    """The end (exclusive) of a block of From, Sent, To and Subject lines that begins at `start`, or `start` if none.

    Two fields are enough only with an address and a date, since people write "From: ... To: ..." of other things.
    """
    return header_fields(lines, start)[0]


def header_fields(lines: list[str], start: int) -> tuple[int, dict[str, str]]:
    """What `header_block` finds, and the values of its fields: from, sent or date, to, subject, and others."""
    kinds: dict[str, str] = {}
    index = end = start
    blanks = continued = length = 0
    while index < min(start + MAX_BLOCK, len(lines)):
        line = lines[index]
        if not line.strip():
            blanks += 1
            if blanks > 1 or index == start:
                break
            index += 1
            continue
        kind, value = _field(line)
        if kind and kind not in kinds:
            kinds[kind] = value
            continued, length = 0, len(value)
        elif kind is None and kinds and blanks == 0 and _goes_on(next(reversed(kinds)), line, continued):
            continued += 1
            kinds[next(reversed(kinds))] += " " + line.strip()
        else:
            break
        blanks = 0
        index += 1
        if kind:
            end = index
    if not kinds or not _is_block(kinds):
        return start, {}
    last = next(reversed(kinds))
    return end, kinds | {last: kinds[last][:length]}  # what went on below the last field is the text


def _goes_on(kind: str, line: str, continued: int) -> bool:
    """Whether a line without label may be the wrapped rest of a field: dates never wrap, long lists of people do."""
    if kind in ("date", "sent") or len(line) > MAX_LINE:
        return False
    return continued < 2 or (continued < 20 and ("@" in line or ";" in line))


def _field(line: str) -> tuple[str | None, str]:
    head = line[:48]
    if (":" not in head and "：" not in head and "|" not in head) or len(line) > MAX_LINE * 4:
        return None, ""
    match = _FIELD.match(line)
    if not match:
        return None, ""
    label = match.group(1).strip(" *_\t\u00a0").lower().replace("\u3000", "").replace("’", "'")
    kind = _LABELS.get(label) or _LABELS.get(label.replace(" ", ""))
    if kind == "date" and label in _SENT:
        kind = "sent"
    return (f"{kind}:{label}" if kind == "other" else kind), match.group(2).strip()


def _is_block(kinds: dict[str, str]) -> bool:
    core = {kind for kind in kinds if not kind.startswith("other")}
    address = any(_ADDRESS.search(kinds.get(kind, "")) for kind in ("from", "to"))
    dated = any(_HAS_DATE.search(kinds.get(kind, "")) for kind in ("date", "sent"))
    if "from" in core and "subject" in core and core & {"date", "sent", "to"}:
        return dated or address
    return dated and (address or core >= {"from", "sent", "to"})


def signature_start(lines: list[str], begin: int) -> int | None:
    """Where a signature begins that ends the text: "-- " (RFC 3676 section 4.3), or a mobile program's line.

    Only a signature with nothing below it is cut: text below one may be an answer. The mark has its blank; without it,
    and as another dash, it is what people draw between the parts of what they say.
    """
    last = len(lines) - 1
    while last >= begin and not lines[last].strip():
        last -= 1
    for index in range(last, begin - 1, -1):
        if lines[index].rstrip("\r") == "-- ":
            return index
    return last if last >= begin and is_mobile_signature(lines[last]) else None
