"""Answers to a desk mail as mail programs write them: one small builder a program, each in plain text and HTML.

Every builder takes what the member typed and the text of the desk mail; what it adds is what must be cut.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from mailticket.mail.desk_marker import OPENINGS, marker_line

SUPPORT = "support@coinharbor.example"
MEMBER = "mia@coinharbor.example"
SHOWN = "Bob Miller via CoinHarbor"
SYMBOLS = "qk3vx7m"
SUBJECT = "[MT-7F3K-92QW] cannot log in"


def desk_mail(language: str = "en", marker: str | None = None) -> str:
    """The text of a desk mail, the requester's words in it beginning with what would be a command."""
    first = OPENINGS["answer"][language]
    first += (
        " Bob Miller <bob@mail.example> as CoinHarbor Support"
        if language == "en"
        else " 王芳 <wangfang@mail.example>，以 CoinHarbor 的名义"
    )
    return "\n".join(
        (first, marker_line(SYMBOLS, language) if marker is None else marker, "", "Promised: Tue 3 Nov, 10:15 to 18:00",
         "Assigned to: nobody", "", "#close", "Since yesterday I cannot log in any more.", "", "Bob", "",
         "> Your request has reached us.", "> It waits for an answer.", "", "Note of tom: he is a known fraudster.")
    )  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """One program's reply. cut: what of it is not the member's own, for people to read in a table."""

    program: str
    cut: str
    plain: Callable[[str, str], str]
    rich: Callable[[str, str], str] | None = None
    language: str = "en"


def mail_of(plain: str | None, rich: str | None = None, subject: str = f"Re: {SUBJECT}") -> bytes:
    """A raw mail with these bodies."""
    message = EmailMessage()
    message["From"] = f"Mia Berg <{MEMBER}>"
    message["To"] = SUPPORT
    message["Subject"] = subject
    message["Message-ID"] = "<answer@mail.coinharbor.example>"
    message["In-Reply-To"] = "<desk@coinharbor.example>"
    message["Date"] = "Mon, 02 Nov 2026 10:20:00 +0100"
    if plain is not None:
        message.set_content(plain, charset="utf-8", cte="base64")
    if rich is not None and plain is not None:
        message.add_alternative(rich, subtype="html", charset="utf-8", cte="base64")
    elif rich is not None:
        message.set_content(rich, subtype="html", charset="utf-8", cte="base64")
    return message.as_bytes()


def quoted(text: str, mark: str = "> ") -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in text.split("\n"))


def _lines(text: str, tag: str = "div", attributes: str = "") -> str:
    return "".join(f"<{tag}{attributes}>{html.escape(line) or '<br>'}</{tag}>" for line in text.split("\n"))


def _broken(text: str) -> str:
    return "<br>\n".join(html.escape(line) for line in text.split("\n"))


def _flat(lead: str) -> Callable[[str, str], str]:
    """A reply whose quote bears no marks."""
    return lambda words, desk: f"{words}\n\n{lead}\n\n{desk}\n"


def _marked(lead: str, *, lead_too: bool = False, below: str = "") -> Callable[[str, str], str]:
    """A reply whose quote bears marks, as on iPhones the attribution does too."""
    if lead_too:
        return lambda words, desk: f"{words}\n\n" + quoted(f"{lead}\n\n{desk}") + below
    return lambda words, desk: f"{words}\n\n{lead}\n" + quoted(desk) + below


_BLOCK_EN = (
    f"From: {SHOWN} <{SUPPORT}>\nSent: Monday, November 2, 2026 10:15 AM\nTo: Mia Berg <{MEMBER}>\nSubject: {SUBJECT}"
)
_BLOCK_DE = f"Von: {SHOWN} <{SUPPORT}>\nGesendet: Montag, 2. November 2026 10:15\nAn: Mia Berg\nBetreff: {SUBJECT}"
_BLOCK_ZH = f"发件人: {SHOWN} <{SUPPORT}>\n发送时间: 2026年11月2日 10:15\n收件人: Mia Berg <{MEMBER}>\n主题: {SUBJECT}"
_BLOCK_TW = (
    f"寄件者: {SHOWN} <{SUPPORT}>\n寄件日期: 2026年11月2日 上午 10:15\n收件者: Mia Berg <{MEMBER}>\n主旨: {SUBJECT}"
)
_RULE = "________________________________"


def _word(block: str) -> Callable[[str, str], str]:
    """Outlook for Windows, whose editor is Word."""
    heads = "<br>".join(f"<b><span>{html.escape(k)}:</span></b>{html.escape(v)}" for k, _, v in
                        (line.partition(":") for line in block.split("\n")))  # fmt: skip
    return lambda words, desk: (
        "<html xmlns:o='urn:schemas-microsoft-com:office:office'><head><style>p.MsoNormal{margin:0cm}</style></head>"
        f"<body><div class=WordSection1>{_lines(words, 'p', ' class=MsoNormal')}"
        "<p class=MsoNormal><o:p>&nbsp;</o:p></p>"
        "<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>"
        f"<p class=MsoNormal>{heads}<o:p></o:p></p></div></div>{_lines(desk, 'p', ' class=MsoNormal')}"
        "</div></body></html>"
    )


def _web(block: str, closing: str = "", prefix: str = "") -> Callable[[str, str], str]:
    """Outlook on the web and on phones; what they take over from other programs gets an x_ before its names."""
    heads = "<br>".join(f"<b>{html.escape(k)}:</b>{html.escape(v)}" for k, _, v in
                        (line.partition(":") for line in block.split("\n")))  # fmt: skip
    return lambda words, desk: (
        f"<html><body dir=ltr>{_lines(words, 'div', ' class=elementToProof')}{closing}"
        f"<div id={prefix}appendonsend></div><hr style='width:98%'>"
        f"<div id={prefix}divRplyFwdMsg dir=ltr><font face=Calibri>{heads}"
        f"</font><div>&nbsp;</div></div><div class={prefix}BodyFragment><font size=2><span>"
        f"<div class={prefix}PlainText>{_broken(desk)}</div></span></font></div></body></html>"
    )


def _gmail(lead: str, closing: str = "") -> Callable[[str, str], str]:
    return lambda words, desk: (
        f"<div dir=ltr>{_lines(words)}</div>{closing}<br><div class='gmail_quote gmail_quote_container'>"
        f"<div dir=ltr class=gmail_attr>{html.escape(lead)}<br></div><blockquote class=gmail_quote "
        f"style='margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204)'>{_broken(desk)}</blockquote></div>"
    )


def _apple(lead: str, closing: str = "") -> Callable[[str, str], str]:
    return lambda words, desk: (
        f"<html><body style='overflow-wrap: break-word'>{_lines(words)}<br id=lineBreakAtBeginningOfMessage>{closing}"
        f"<div><br><blockquote type=cite><div>{html.escape(lead)}</div><br class=Apple-interchange-newline>"
        f"<div><div>{_broken(desk)}</div></div></blockquote></div></body></html>"
    )


def _thunderbird(lead: str) -> Callable[[str, str], str]:
    return lambda words, desk: (
        f"<html><body>{_lines(words, 'p')}<div class=moz-cite-prefix>{html.escape(lead)}<br></div>"
        f"<blockquote type=cite cite='mid:desk@coinharbor.example'><pre wrap class=moz-quote-pre>{html.escape(desk)}"
        "</pre></blockquote></body></html>"
    )


def _qq(title: str, block: str, closing: str = "") -> Callable[[str, str], str]:
    heads = "".join(f"<div><b>{html.escape(k)}:</b>&nbsp;{html.escape(v)}</div>" for k, _, v in
                    (line.partition(":") for line in block.split("\n")))  # fmt: skip
    return lambda words, desk: (
        f"<div>{_broken(words)}</div>{closing}<div><br></div><div style='font-size:12px;font-family:Arial Narrow'>"
        f"------------------&nbsp;{title}&nbsp;------------------</div><div style='background:#efefef'>{heads}</div>"
        f"<div><br></div><div>{_broken(desk)}</div>"
    )


def _netease(lead: str) -> Callable[[str, str], str]:
    return lambda words, desk: (
        f"<div style='line-height:1.7'>{_lines(words)}<p><br></p><p>{html.escape(lead)}</p>"
        f"<blockquote id=isReplyContent style='PADDING-LEFT:1ex'>{_broken(desk)}</blockquote></div>"
    )


def _netease_app(title: str, fields: tuple[tuple[str, str], ...], card: str) -> Callable[[str, str], str]:
    rows = "".join(f"<tr><td>{k}</td><td>{html.escape(v)}</td></tr>" for k, v in fields)
    return lambda words, desk: (
        f"<div>{_lines(words)}</div>{card}<div class=J-reply><div>---- {title} ----</div><table>{rows}</table></div>"
        f"<blockquote class=ReferenceQuote><div>{_broken(desk)}</div></blockquote>"
    )


_GMAIL_EN = f"On Mon, Nov 2, 2026 at 10:15 AM {SHOWN} <{SUPPORT}> wrote:"
_GMAIL_ZH = f"{SHOWN} <{SUPPORT}> 于2026年11月2日周一 10:15写道："
_APPLE_EN = f"On 2 Nov 2026, at 10:15, {SHOWN} <{SUPPORT}> wrote:"
_APPLE_ZH = f"2026年11月2日 10:15，{SHOWN} <{SUPPORT}> 写道："
_PROTON = f"On Monday, November 2nd, 2026 at 10:15 AM, {SHOWN} <{SUPPORT}> wrote:"
_BIRD_EN = f"On 02/11/2026 10:15, {SHOWN} wrote:"
_BIRD_ZH = f"在 2026/11/2 10:15, {SHOWN} 写道:"
_163_ZH = f'在 2026-11-02 10:15:22，"{SHOWN}" <{SUPPORT}> 写道：'
_163_EN = f'At 2026-11-02 10:15:22, "{SHOWN}" <{SUPPORT}> wrote:'
_QQ_ZH = (
    f'发件人: "{SHOWN}" <{SUPPORT}>;\n发送时间: 2026年11月2日(星期一) 上午10:15\n收件人: "Mia"<{MEMBER}>;\n'
    f"主题: {SUBJECT}"
)
_QQ_EN = f'From: "{SHOWN}"<{SUPPORT}>;\nDate: Mon, Nov 2, 2026 10:15 AM\nTo: "Mia"<{MEMBER}>;\nSubject: {SUBJECT}'
_NETEASE_FIELDS = (
    ("发件人", f"{SHOWN}<{SUPPORT}>"),
    ("日期", "2026年11月02日 10:15"),
    ("收件人", f"<{MEMBER}>"),
    ("抄送至", ""),
    ("主题", SUBJECT),
)
_NETEASE_TABLE = "\n".join(f"| {k} | {v} |" for k, v in _NETEASE_FIELDS)

DISCLAIMER = (
    "This e-mail and any attachments are confidential and intended solely for the use of the individual to whom they\n"
    "are addressed. If you have received this e-mail in error please notify the sender and delete it."
)
DISCLAIMER_ZH = (
    "本邮件及其附件含有 CoinHarbor 公司的保密信息，仅限于发送给上面地址中列出的个人。禁止任何其他人以任何形式使用。\n"
    "如果您错收了本邮件，请您立即电话或邮件通知发件人并删除本邮件！"
)

REPLIES = (
    Reply("Outlook for Windows", "header block", _flat(_BLOCK_EN), _word(_BLOCK_EN)),
    Reply("Outlook for Windows, German", "header block", _flat(_BLOCK_DE), _word(_BLOCK_DE)),
    Reply("Outlook for Windows, Chinese", "header block", _flat(_BLOCK_ZH), _word(_BLOCK_ZH), "zh-Hans"),
    Reply("Outlook for Windows, Taiwan", "header block", _flat(_BLOCK_TW), _word(_BLOCK_TW), "zh-Hant"),
    Reply(
        "Outlook for Windows, plain text", "-----Original Message----- and header block",
        _flat(f"-----Original Message-----\n{_BLOCK_EN}"),
    ),
    Reply(
        "Outlook for Windows, with a company's notice", "notice, header block",
        _flat(f"{DISCLAIMER}\n\n{_BLOCK_EN}"),
        lambda words, desk: _word(_BLOCK_EN)(f"{words}\n\n{DISCLAIMER}", desk),
    ),
    Reply("Outlook for Windows, with a logo", "place of the logo, header block",
          _flat(f"[cid:image001.png@01DC4B2F.5A6B7C80]\n\n{_BLOCK_EN}"),
          lambda words, desk: _word(_BLOCK_EN)(words, desk).replace(
              "<p class=MsoNormal><o:p>&nbsp;</o:p></p>", "<p class=MsoNormal><img src='cid:image001.png@01DC'></p>")),
    Reply("Outlook on the web", "rule, header block", _flat(f"{_RULE}\n{_BLOCK_EN}"), _web(_BLOCK_EN)),
    Reply("Outlook on the web, x_ names", "rule, header block", _flat(f"{_RULE}\n{_BLOCK_ZH}"),
          _web(_BLOCK_ZH, prefix="x_"), "zh-Hans"),
    Reply(
        "Outlook for iOS", "program's line, rule, header block",
        _flat(f"Get Outlook for iOS<https://aka.ms/o0ukef>\n{_RULE}\n{_BLOCK_EN}"),
        _web(_BLOCK_EN, "<div id=ms-outlook-mobile-signature>Get <a href='https://aka.ms/o0ukef'>Outlook for iOS</a>"
             "</div>"),
    ),
    Reply(
        "Outlook for Android, Chinese", "program's line, rule, header block",
        _flat(f"获取 Outlook for Android<https://aka.ms/AAb9ysg>\n{_RULE}\n{_BLOCK_ZH}"),
        _web(_BLOCK_ZH, "<div id=ms-outlook-mobile-signature>下载<a href='https://aka.ms/AAb9ysg'>适用于 Android 的 "
             "Outlook</a></div>"),
        "zh-Hans",
    ),
    Reply("Gmail", "attribution", _marked(_GMAIL_EN), _gmail(_GMAIL_EN)),
    Reply("Gmail, wrapped attribution", "attribution",
          _marked(f"On Mon, Nov 2, 2026 at 10:15 AM {SHOWN} <\n{SUPPORT}> wrote:"), _gmail(_GMAIL_EN)),
    Reply("Gmail, Chinese", "attribution", _marked(_GMAIL_ZH), _gmail(_GMAIL_ZH), "zh-Hans"),
    Reply("Gmail app with a signature", "signature, attribution", _marked(f"-- \nMia Berg\nCoinHarbor\n\n{_GMAIL_EN}"),
          _gmail(_GMAIL_EN, "<br><span class=gmail_signature_prefix>-- </span><br><div class=gmail_signature>"
                 "Mia Berg<br>CoinHarbor</div>")),
    Reply("Apple Mail", "attribution", _marked(f"{_APPLE_EN}\n"), _apple(_APPLE_EN)),
    Reply("Apple Mail, Chinese", "attribution", _marked(_APPLE_ZH, lead_too=True), _apple(_APPLE_ZH), "zh-Hans"),
    Reply("iPhone", "program's line, attribution",
          lambda words, desk: _marked(_APPLE_EN, lead_too=True)(f"{words}\n\nSent from my iPhone", desk),
          _apple(_APPLE_EN, "<div dir=ltr>Sent from my iPhone</div>")),
    Reply("iPhone, own line", "program's line, attribution",
          lambda words, desk: _marked(_APPLE_EN, lead_too=True)(
              f"{words}\n\nSent from my iPhone, hence so short.", desk),
          _apple(_APPLE_EN, "<div dir=ltr>Sent from my iPhone, hence so short.</div>")),
    Reply("iPhone, Chinese", "program's line, attribution",
          lambda words, desk: _marked(_APPLE_ZH, lead_too=True)(f"{words}\n\n发自我的iPhone", desk),
          _apple(_APPLE_ZH, "<div dir=ltr>发自我的iPhone</div>"), "zh-Hans"),
    Reply("Huawei's mail", "program's line, separator, header block",
          _flat(f"从我的华为手机发送\n\n-------- 原始邮件 --------\n{_BLOCK_ZH}"), None, "zh-Hans"),
    Reply("Samsung's mail", "program's line, separator, header block",
          _flat(f"Sent from my Galaxy\n\n-------- Original message --------\n{_BLOCK_EN.replace('Sent:', 'Date:')}")),
    Reply("Thunderbird, above the quote", "attribution", _marked(_BIRD_EN), _thunderbird(_BIRD_EN)),
    Reply("Thunderbird, Chinese", "attribution", _marked(_BIRD_ZH), _thunderbird(_BIRD_ZH), "zh-Hans"),
    Reply("Thunderbird, signature below the quote", "attribution, signature",
          _marked(_BIRD_EN, below="\n\n-- \nMia Berg\nCoinHarbor\n")),
    Reply("Gateway that adds a notice below all", "attribution, notice",
          _marked(_GMAIL_EN, below=f"\n\n{DISCLAIMER}\n"),
          lambda words, desk: _gmail(_GMAIL_EN)(words, desk) + f"<p>{DISCLAIMER}</p>"),
    Reply("Gateway that adds a notice below all, Chinese", "attribution, notice",
          _marked(_GMAIL_ZH, below=f"\n\n{DISCLAIMER_ZH}\n"), None, "zh-Hans"),
    Reply("QQ Mail", "separator, header block", _flat(f"------------------ 原始邮件 ------------------\n{_QQ_ZH}"),
          _qq("原始邮件", _QQ_ZH), "zh-Hans"),
    Reply("QQ Mail, English", "separator, header block",
          _flat(f"------------------ Original ------------------\n{_QQ_EN}"), _qq("Original", _QQ_EN)),
    Reply("QQ Mail on a phone, with a notice", "notice, program's line, separator, header block",
          _flat(f"{DISCLAIMER_ZH}\n\n发自我的iPhone\n\n\n------------------ 原始邮件 ------------------\n{_QQ_ZH}"),
          _qq("原始邮件", _QQ_ZH, f"<div><br></div><div>{DISCLAIMER_ZH}</div><div><br></div><div>发自我的iPhone</div>"),
          "zh-Hans"),
    Reply("Foxmail", "rule, address, header block",
          _flat(f"{_RULE}\n{MEMBER}\n \n发件人： {SHOWN}\n发送时间： 2026-11-02 10:15\n收件人： mia\n主题： {SUBJECT}"),
          None, "zh-Hans"),
    Reply("163 Mail", "attribution", _marked(_163_ZH), _netease(_163_ZH), "zh-Hans"),
    Reply("163 Mail, quote without marks", "attribution", _flat(_163_ZH), None, "zh-Hans"),
    Reply("163 Mail, English", "attribution", _marked(_163_EN), _netease(_163_EN)),
    Reply("NetEase Mail Master", "card, separator, table of headers",
          lambda words, desk: (f"{words}\n\n| |\nMia Berg\n|\n|\n邮箱：{MEMBER}\n|\n\n签名由 网易邮箱大师 定制\n\n"
                               f"---- 回复的原邮件 ----\n{_NETEASE_TABLE}\n{desk}"),
          _netease_app("回复的原邮件", _NETEASE_FIELDS, "<div>发自我的网易邮箱大师</div>"), "zh-Hans"),
    Reply("HCL Notes", "header block",
          _flat(f"From:\t{SHOWN} <{SUPPORT}>\nTo:\t{MEMBER}\nDate:\t02/11/2026 10:15\nSubject:\t{SUBJECT}\n{_RULE}")),
    Reply("HCL Notes, with the first words", "line of first words, header block",
          _flat(f"{SHOWN} ---02/11/2026 10:15:22---Your answer goes to Bob Miller\n\nFrom:\t{SHOWN} <{SUPPORT}>\n"
                f"To:\t{MEMBER}\nDate:\t02/11/2026 10:15\nSubject:\t{SUBJECT}\n{_RULE}")),
    Reply("HCL Notes on the web", "frame, header block",
          _flat(f'-----"{SHOWN}" <{SUPPORT}> wrote: -----\nTo: {MEMBER}\nFrom: "{SHOWN}" <{SUPPORT}>\n'
                f"Date: 11/02/2026 10:15AM\nSubject: {SUBJECT}")),
    Reply("Proton Mail", "program's line, attribution",
          lambda words, desk: _marked(_PROTON)(f"{words}\n\nSent with Proton Mail secure email.", desk),
          lambda words, desk: (
              f"<div>{_lines(words)}</div><div><br></div><div class=protonmail_signature_block>Sent with <a href='https://"
              f"proton.me/'>Proton Mail</a> secure email.</div><div class=protonmail_quote>{html.escape(_PROTON)}<br>"
              f"<blockquote class=protonmail_quote type=cite>{_broken(desk)}</blockquote></div>")),
    Reply("Yahoo Mail", "program's line, attribution",
          _flat("Sent from Yahoo Mail for iPhone\n\n"
                f"On Monday, November 2, 2026, 10:15 AM, {SHOWN} <{SUPPORT}> wrote:")),
    Reply("Outlook behind a gateway that warns", "rule, header block, warning",
          _flat(f"{_RULE}\n{_BLOCK_EN}\n\nCAUTION: This email originated from outside of the organization. Do not "
                "click links unless you recognize the sender.\nYou don't often get email from us. Learn why this is "
                "important")),
)  # fmt: skip


def table() -> str:
    """The replies as a table for people, in Markdown."""
    rows = [f"| {reply.program} | {'text and HTML' if reply.rich else 'text'} | {reply.cut} |" for reply in REPLIES]
    return "\n".join(("| mail program | read as | cut, beside the quote |", "|---|---|---|", *rows))
