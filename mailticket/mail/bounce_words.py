"""The words by which mail servers say that a mail was not delivered, and the status of RFC 3463 that they mean."""

from __future__ import annotations

import re

from mailticket.text.patterns import lazy_pattern
from mailticket.text.sieve import Sieve, matches
from mailticket.text.words import loosely

DAEMON_ADDRESS = lazy_pattern(
    r"(?:mailer[-_. ]?daemon|mail[-_.]?daemon|mdaemon|post[-_.]?master|mail[-_.]delivery[-_.](?:sub)?system"
    r"|mail[-_.]administrator|mailadmin|bounce|bounces|ndr|undeliverable|returned[-_.]?mail"
    r"|microsoftexchange[0-9a-f]{20,40})(?=@|$|[ <+\"])",
    re.IGNORECASE,
)
DAEMON_NAME = lazy_pattern(
    r"mail deliver(?:y|er) (?:sub)?system|mail delivery service|mailer[- ]?daemon|postmaster|mail administrator"
    r"|system administrator|internet mail delivery|mail system|ndr administrator|microsoft outlook|系统退信|系統退信",
    re.IGNORECASE,
)
MACHINE_ADDRESS = lazy_pattern(
    r"^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|sysadmin|administrator|admin|root|system|notifications?|mail"
    r"|.{0,40}-admin)@",
    re.IGNORECASE,
)
SUBJECT = lazy_pattern(
    r"undeliver(?:able|ed)|failure notice|mail delivery fail|delivery (?:status )?notification|delivery (?:has )?fail"
    r"|delivery failure|failure delivery|failed delivery|mail deliver[a-z]* (?:fail|error|problem|status|warning"
    r"|delay)"
    r"|mail (?:failure|failed|error)|message delivery (?:has )?(?:fail|delay)|returned mail|mail returned"
    r"|mail system error|message (?:delayed|undeliverable)|non[- ]?delivery|not delivered|could not be delivered"
    r"|could(?:n't| not) deliver|delayed mail|warning: (?:message|could not send)"
    r"|returning (?:mail|message) to sender|returned to sender|there was an error sending your mail|delivery report"
    r"|mail could not|loop alert|smtp server: errors|unzustellbar|nicht zustellbar|zustellung fehlgeschlagen"
    r"|non remis|non distribu|échec de (?:la )?remise|no se (?:puede|ha podido|pudo) entregar|no entregado|devuelto"
    r"|não entregue|falha na entrega|mancata consegna|non recapitabile|onbestelbaar|niet bezorgd|niedostarczon"
    r"|не доставлен|недоставлен|не удалось доставить|退信|邮件投递失败|投递失败|無法投遞|无法投递|未送达|未送達"
    r"|无法传递|無法傳遞|无法送达|無法送達|发送失败|寄送失敗|系统退信|退回|配信(?:不能|できま|エラー|に失敗)"
    r"|送信できません|メールエラー|配送できません|반송|전송 실패|배달되지",
    re.IGNORECASE,
)
ANSWER_SUBJECT = lazy_pattern(r"\s*(?:re|aw|sv|fwd?|wg|tr|回复|答复|回覆|转发|轉寄)\s?[:：]", re.IGNORECASE)
FAILURE = lazy_pattern(
    r"(?:could|can|did|was|were|has|have|is|are)(?: ?not|n't) (?:be |been )?(?:deliver|reach|sent|accept"
    r"|able to deliver|process)|cannot be (?:deliver|sent)|(?:un)?able to deliver|undeliver(?:able|ed)"
    r"|delivery (?:to|of|has|attempt|failed|error|status|failure)"
    r"|(?:permanent|fatal|transient|temporary)(?: fatal)? (?:error|failure)|failed permanently"
    r"|address(?:es|\(es\))? failed|returned (?:below|to (?:you|sender)|mail)|transcript of session follows"
    r"|delivery problems|not listed in|rejected by|error (?:delivering|sending|occurred) |did not reach"
    r"|has been delayed|being returned|sorry to have to inform you"
    r"|this is the (?:qmail|mail system|postfix|mail delivery)|smtp (?:error|code)"
    r"|remote (?:host|server) (?:said|replied|answered)|said: [45]\d\d|user unknown|unknown user|no such user"
    r"|mailbox (?:is )?(?:full|unavailable)|over quota|duplicated message-id"
    r"|will (?:be retried|keep trying|continue to)|still (?:being )?(?:try|attempt)|was not (?:delivered|sent)"
    r"|non-delivered|unzustellbar|konnte nicht (?:zugestellt|gesendet|übermittelt)|nicht zugestellt"
    r"|n'a pas (?:pu|été) (?:être )?(?:remis|distribu|livré)|no (?:se )?(?:ha|pudo|puede|ha podido) (?:ser )?entreg"
    r"|não (?:pôde|pode|foi) (?:ser )?entreg|non (?:è stato )?(?:possibile|recapitat|consegnat)"
    r"|niet (?:worden )?bezorgd|nie (?:mogła|może) (?:zostać|być) dostarcz"
    r"|не (?:было |может быть |удалось )?доставлен|не удалось доставить|无法(?:投递|送达|传递|发送)"
    r"|無法(?:投遞|送達|傳遞|寄送)|未能(?:投递|送达|成功)|(?:投递|发送|寄送|投遞)失败|投遞失敗|寄送失敗|退信|被退回"
    r"|退回|(?:配信|送信|配送)できません|エラーのため|配信(?:不能|に失敗)|届けられません|전송(?:하지 못|에 실패|되지)"
    r"|배달(?:하지 못|되지)",
    re.IGNORECASE,
)
DELAY = lazy_pattern(
    r"has (?:been|not yet been) delay|delay(?:ed)? \d|delivery (?:status notification )?\(?delay|warning message only"
    r"|will be retried|do(?:es)? not need to resend|no action is required|still (?:being )?(?:try|attempt)"
    r"|will (?:keep|continue) (?:on )?(?:try|to try|to attempt)|not yet been delivered"
    r"|could not send message for (?:past|the past)|warning: (?:message|could not send)|delayed mail|keep trying"
    r"|temporarily delayed|postponed|deferred|advisory[- ]only|verzögert"
    r"|(?:稍后|稍後|继续|繼續)(?:重试|尝试|重試|嘗試)|延迟|延遲|遅延",
    re.IGNORECASE,
)
# How a server's words begin that no other sign gives away.
NOTICE = lazy_pattern(
    r"(?:this is an? (?:advisory|automat|informational|warning)|(?:we are|i'm|i am) (?:sorry|afraid)|sorry[,.]"
    r"|unfortunately"
    r"|(?:your|the) (?:following )?(?:original )?(?:e-?mail|mail|message)s?\b|this (?:e-?mail|mail|message)\b"
    r"|delivery (?:to|of|has|fail)"
    r"|(?:undeliver|non-?deliver|failed to deliver|could not deliver|unable to deliver|mail delivery|error)"
    r"|(?:ihre|die) (?:e-?mail|nachricht)|votre (?:message|e-?mail|courriel)|(?:su|tu) (?:mensaje|correo)"
    r"|a sua mensagem"
    r"|sua mensagem|il (?:tuo|suo) messaggio|uw bericht"
    r"|twoja wiadomość|ваше (?:сообщение|письмо)|您(?:的|发送的)(?:邮件|信)"
    r"|邮件|郵件|メール)",
    re.IGNORECASE,
)
REFUSAL = lazy_pattern(
    r"reject|refus|quota|mailbox (?:is )?full|could not be delivered|not (?:be )?(?:delivered|accepted)|undeliver"
    r"|zurückgewiesen"
    r"|abgewiesen|abgelehnt|rechazad|rejeitad|rifiutat|geweigerd|odrzucon|отклонен|отвергнут|拒收|拒绝|拒絕|拒否",
    re.IGNORECASE,
)
GIVEN_UP = lazy_pattern(
    r"giving up|failed permanently|permanent(?:ly)? (?:error|failure|fail)|gave up|will not be retried"
    r"|cannot send message (?:for|within)",
    re.IGNORECASE,
)
# Lines below which the returned mail stands.
RETURNED = lazy_pattern(
    r"^[ \t>]{0,8}(?:[-=_*+]{2,60}[ \t]{0,8}|(?=(?:message|original|below|returned|your|the) ))(?:(?:this is a "
    r"|below this line is a |a )?copy of (?:the|your|original)|(?:the )?headers? of the original"
    r"|message headers? follow|original (?:mail|message)|(?:start of |begin(?:ning)? of )?returned (?:message|mail)"
    r"|your (?:original )?message (?:follows|headers|is)|unsent message|unsent mail"
    r"|message (?:follows|text follows|header|returned)|below this line|undelivered message|received message"
    r"|forwarded message|the (?:original|rejected) message|(?:first )?\d{0,5} ?lines of (?:the )?original"
    r"|original message follows|included is (?:a copy|the)|原始邮件|原始郵件|原郵件|原邮件)",
    re.IGNORECASE | re.MULTILINE,
)
RETURNED_HEADER = lazy_pattern(
    r"^[ \t]{0,8}(?:Return-Path: ?<|Received: (?:from|by|\()|DKIM-Signature: |X-Original-To: |Delivered-To: )",
    re.IGNORECASE | re.MULTILINE,
)

_STATUS_WORDS: tuple[tuple[str, str], ...] = (
    (
        "5.2.2",
        r"(?:mail ?box|mail ?drop|mailfolder|inbox|account|user|recipient|quota|disk ?space|storage|maildir|postfach"
        r"|bo[iî]te|buz[oó]n|caixa|casella)[^.\n]{0,60}(?:\bfull\b|over ?quota|exceed|out of|overdrawn|\bvoll\b"
        r"|pleine|lleno|cheia|piena|vol\b)|(?:over|exceed(?:s|ed|ing)?|out of|insufficient"
        r"|not enough)[^.\n]{0,30}(?:quota|storage|disk|mailbox size|space)|quota (?:is )?exceeded|over ?quota"
        r"|ящик[^.\n]{0,20}переполнен|(?:邮箱|郵箱|信箱|空间|空間|容量)[^。\n]{0,12}(?:已满|满|滿|不足|超)"
        r"|容量[^。\n]{0,10}(?:超|オーバー)|용량[^.\n]{0,10}초과",
    ),
    (
        "4.4.7",
        r"retry (?:time ?(?:out )?|timeout )exceeded|(?:message|envelope) (?:has )?expired"
        r"|(?:too long|days?) (?:in|on) (?:the )?queue|queue too long"
        r"|could not (?:be delivered|deliver|send)[^.\n]{0,40} (?:for|within) (?:the )?(?:last |past )?\d"
        r"|not delivered within|cannot send message (?:for|within)|giving up|delivery time(?:d out| ?out| expired)"
        r"|maximum (?:queue )?lifetime|超过.{0,10}(?:重试|次数)|超时未",
    ),
    ("5.1.10", r"no smtp service|null mx|does not accept (?:e-?)?mail"),
    (
        "5.1.2",
        r"host (?:unknown|not found|name lookup)|unknown host|no such (?:domain|host)"
        r"|domain[^.\n]{0,40}(?:not (?:found|exist|valid)|doesn'?t exist|does not exist|unknown|invalid"
        r"|couldn'?t be found)|(?:couldn'?t|could not|can'?t|cannot) find any host|name or service not known|nxdomain"
        r"|unrouteable (?:mail )?domain|bad destination (?:host|system)|illegal host"
        r"|(?:域名|网域|網域|主机)[^。\n]{0,10}(?:不存在|找不到|无法解析)"
        r"|找不到[^。\n]{0,12}(?:域名|网域|网域|主机|服务器)",
    ),
    (
        "5.1.1",
        r"(?:user|recipient|mailbox|account|address|addressee|alias|mail ?drop|subscriber|name|customer"
        r"|local ?part)s?[^.\n]{0,50}(?:unknown|not (?:found|exist|known|recogni[sz]ed|listed|valid|here|local)"
        r"|doesn'?t (?:exist|have)|does not (?:exist|have|match)|invalid|no longer (?:exist|valid|available))"
        r"|(?:unknown|no such|invalid|nonexistent|non-existent|unrecogni[sz]ed|no)[^.\n]{0,20} (?:user|recipient"
        r"|mailbox|account|address|alias|addressee|name|person|local)|not listed in"
        r"|not a (?:valid|known) (?:user|mailbox|recipient)|unrouteable address|isn'?t in my (?:control/locals|list)"
        r"|can'?t find (?:the )?(?:user|mailbox|recipient)|not our customer|empfänger unbekannt"
        r"|(?:postfach|adresse|empfänger|benutzer)[^.\n]{0,30}(?:existiert nicht|nicht gefunden|unbekannt)"
        r"|n'existe pas|no existe|não existe|non esiste|bestaat niet|nie istnieje|не существует|нет такого|не найден"
        r"|(?:用户|用戶|使用者|收件人|收件者|邮箱|郵箱|信箱|地址|帐号|账号|帳號)[^。\n]{0,12}(?:不存在|未找到|找不到"
        r"|无效|無效|有误|錯誤|错误)|(?:无|無|没有|沒有)(?:此|该|該|這個|这个)(?:用户|用戶|使用者|帐户|邮箱)"
        r"|(?:アドレス|ユーザー?|宛先|受信者)[^。\n]{0,20}(?:見つから|存在し|不明)"
        r"|(?:사용자|수신자|주소)[^.\n]{0,15}(?:없|존재하지)",
    ),
    (
        "5.2.1",
        r"(?:mailbox|account|user|address|recipient)[^.\n]{0,40}(?:disabled|suspended|inactive|deactivated|not active"
        r"|locked|blocked|closed|unavailable|on hold|expired|terminated)"
        r"|(?:帐号|账号|帐户|账户|帳號|帳戶|邮箱)[^。\n]{0,10}(?:停用|禁用|冻结|凍結|锁定)",
    ),
    (
        "5.3.4",
        r"(?:message|mail|e-?mail|size|attachment)[^.\n]{0,50}(?:too (?:big|large|long)"
        r"|exceed(?:s|ed)?[^.\n]{0,40}(?:size|limit|maximum)|larger than|over ?size)"
        r"|exceed(?:s|ed)? (?:the )?(?:maximum |fixed )?(?:message )?size|maximum message size"
        r"|(?:邮件|郵件|附件)[^。\n]{0,8}(?:过大|太大|超过|超過|過大)",
    ),
    (
        "5.4.6",
        r"(?:mail|routing|forwarding) loop|loop(?:s|ing)? back|too many (?:hops|received)|hop count"
        r"|duplicated message-id",
    ),
    ("5.7.25", r"reverse dns|rdns|ptr record|no ptr|reverse (?:hostname|lookup)"),
    ("5.7.26", r"dmarc"),
    (
        "5.1.8",
        r"sender (?:address )?(?:is )?(?:rejected|unknown|denied|blocked|invalid)[^.\n]{0,30}"
        r"|(?:bad|invalid|unknown) sender|unresolvable sender|domain of sender",
    ),
    (
        "5.7.1",
        r"spam|junk|blacklist|block(?:ed|ing)? (?:list|by|for|using)|rbl|reputation|abuse"
        r"|relay(?:ing)? (?:is )?(?:not|access|denied|prohibited)|not permitted to relay|unable to relay"
        r"|polic(?:y|ies)|not authori[sz]ed|unauthori[sz]ed|access denied|permission|not (?:allowed|permitted)"
        r"|prohibited|virus|refused by|administrative(?:ly)?|反垃圾|垃圾邮件|垃圾郵件|拒收|拒绝|拒絕|黑名单|黑名單",
    ),
    (
        "5.6.0",
        r"content[^.\n]{0,30}(?:reject|not accept|denied|block)|header error|malformed|media error"
        r"|mime (?:error|type)|(?:invalid|illegal) (?:header|8-?bit|character)",
    ),
    (
        "4.4.2",
        r"(?:connection|conversation|session)[^.\n]{0,30}(?:lost|dropped|reset|broken|closed|timed out|timeout)"
        r"|timed? ?out (?:while|waiting|during)|lost connection",
    ),
    (
        "4.4.1",
        r"connection refused|no route to host|network (?:is )?unreachable"
        r"|(?:did not|not|couldn'?t|unable to|could not|failed to)[^.\n]{0,30}(?:connect|respond|reach|establish)"
        r"|not responding|no answer|socket error|host (?:is )?(?:down|unreachable)|servers? (?:are )?unreachable"
        r"|timed out|连接(?:失败|超时|被拒)|連線(?:失敗|逾時)|接続できません",
    ),
    (
        "4.3.0",
        r"temporary (?:system |local |server )?(?:error|failure|problem)|system error|internal error"
        r"|service (?:is )?unavailable|try again later|resources? temporarily",
    ),
    ("5.1.1", r"mailbox unavailable|user unknown|recipient (?:address )?rejected|unknown"),
)
_STATUS_PATTERNS = tuple((status, lazy_pattern(words, re.IGNORECASE)) for status, words in _STATUS_WORDS)
_STATUS_SIEVE = Sieve(words for _, words in _STATUS_PATTERNS)
_CODE = lazy_pattern(r"(?<![\d.])([45]\d\d[- #:('\"]{1,4})?#?([245]\.\d{1,2}\.\d{1,3})(?![\d.]*\d)")
_SMTP_CODE = lazy_pattern(
    r"(?:^[ \t<>]{0,12}|[:'\"(\[] ?|\b(?:said|replied|code|error|reason|status) )([45]\d\d)(?=[- :;(,.]"
    r"|$)(?![.-]?\d)",
    re.IGNORECASE | re.MULTILINE,
)
_GENERIC = {"551": "5.1.6", "552": "5.2.2", "553": "5.1.3", "452": "4.2.2"}


def written_status(text: str) -> str:
    """The enhanced status code that stands in the text; "" without one.

    One that says more than "5.0.0" comes first, among these one behind a reply code ("550 5.1.1"), then the earliest.
    """
    matches = list(_CODE.finditer(text[:8000]))
    specific = [match for match in matches if match.group(2)[0] in "45" and not match.group(2).endswith(".0.0")]
    best = min(specific, key=lambda match: match.group(1) is None, default=None) or next(iter(matches), None)
    return best.group(2) if best else ""


def meant_status(text: str) -> str:
    """The status that the words of a failure mean, by the first kind that they name; else by SMTP code; else ""."""
    head = text[:4000]
    for number, places in _STATUS_SIEVE.candidates(loosely(head)):
        status, words = _STATUS_PATTERNS[number]
        if any(matches(words, head, places)):
            return status
    code = _SMTP_CODE.search(head)
    return _GENERIC.get(code.group(1), f"{code.group(1)[0]}.0.0") if code else ""
