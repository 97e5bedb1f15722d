"""New text of mails: what each language and program writes above history, and what must never be cut."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.mail import quoting
from mailticket.mail.headings import is_forward_subject, is_reply_subject
from mailticket.mail.values import OurLetters

ANSWER = "Thank you, the transfer has arrived now."
ANSWER_ZH = "谢谢，充值已经到账了。"

# Attribution lines of mail programs, each followed by a quote with ">".
ATTRIBUTIONS = [
    "On Mon, Apr 6, 2026 at 10:15 AM Example Support <support@example.com> wrote:",
    "On Mon, Apr 6, 2026 at 10:15 AM, Example Support\n<support@example.com> wrote:",
    "On Mon, Apr 6, 2026 at 10:15 AM Example Support <\nsupport@example.com> wrote:",
    "On Apr 6, 2026, at 10:15, Example Support <support@example.com>\nwrote:",
    "On 06/04/2026 10:15, Example Support wrote:",
    "On 2026-04-06 10:15, support@example.com wrote:",
    'At 2026-04-06 10:15:22, "Example Support" <support@example.com> wrote:',
    "Example Support <support@example.com> wrote:",
    "Am 06.04.2026 um 10:15 schrieb Example Support:",
    "Am Mo., 6. Apr. 2026 um 10:15 Uhr schrieb Example Support <support@example.com>:",
    "Am 06.04.2026 um 10:15 schrieb Example Support\n<support@example.com>:",
    "Le lun. 6 avr. 2026 à 10:15, Example Support <support@example.com> a écrit :",
    "Le 06/04/2026 à 10:15, Example Support a écrit :",
    "El lun, 6 abr 2026 a las 10:15, Example Support (<support@example.com>) escribió:",
    "El 06/04/2026 a las 10:15, Example Support escribió:",
    "Em seg., 6 de abr. de 2026 às 10:15, Example Support <support@example.com>\nescreveu:",
    "Il giorno lun 6 apr 2026 alle ore 10:15 Example Support <support@example.com>\nha scritto:",
    "Il 06/04/2026 10:15, Example Support ha scritto:",
    "Op ma 6 apr 2026 om 10:15 schreef Example Support <support@example.com>:",
    "Op 6 apr. 2026, om 10:15 heeft Example Support <support@example.com> het volgende geschreven:",
    "pon., 6 kwi 2026 o 10:15 Example Support <support@example.com> napisał(a):",
    "W dniu 06.04.2026 o 10:15, Example Support pisze:",
    "пн, 6 апр. 2026 г. в 10:15, Example Support <support@example.com>:",
    "06.04.2026 10:15, Example Support пишет:",
    "6 апр. 2026 г., в 10:15, Example Support <support@example.com> написал(а):",
    "Понедельник, 6 апреля 2026, 10:15 +03:00 от Example Support <support@example.com>:",
    "2026年4月6日(月) 10:15 サポート <support@example.com>:",
    "2026/04/06 10:15、サポート <support@example.com>のメール:",
    "2026年4月6日(月) 10:15 Example Support <support@example.com> のメッセージ:",
    "2026년 4월 6일 (월) 오전 10:15, Example Support <support@example.com>님이 작성:",
    "Example Support <support@example.com> 于2026年4月6日周一 10:15写道：",
    "Example Support <support@example.com> 於 2026年4月6日 週一 上午10:15寫道：",
    "在 2026年4月6日，10:15，Example Support <support@example.com> 写道：",
    '在 2026-04-06 10:15:22，"Example Support" <support@example.com> 写道：',
    "在 2026/4/6 10:15, Example Support 写道:",
    "Example Support <support@example.com> 於 2026年4月6日 上午10:15 寫道：",
    "Den mån 6 apr. 2026 kl 10:15 skrev Example Support <support@example.com>:",
    "Den 6. apr. 2026 kl. 10.15 skrev Example Support <support@example.com>:",
    "6 Nis 2026 Pzt 10:15 tarihinde Example Support <support@example.com> şunu yazdı:",
    "Vào 10:15, Th 2, 6 thg 4, 2026 Example Support <support@example.com> đã viết:",
]

ATTRIBUTIONS += [
    "On Tue, 12 Mar 2024 10:00:00 +0900\nExample Support <support@example.com> wrote:",
    "Example Support <support@example.com> schrieb am Mo., 6. Apr. 2026, 10:15:",
    "Il giorno 06/apr/2026, alle ore 10.15, Example Support <support@example.com> ha scritto:",
    "On Monday, 6 April 2026 at 10:15:00 CEST, Example Support <support@example.com> wrote:",
    "Le lundi 6 avril 2026 à 10:15:00 UTC+2, Example Support <support@example.com> a écrit :",
    "2026-04-06 10:15 GMT+02:00 Example Support <support@example.com>:",
    '06.04.2026, 10:15, "Example Support" <support@example.com>:',
    "---- On Mon, 06 Apr 2026 10:15:00 +0200 Example Support <support@example.com> wrote ----",
    "út 6. 4. 2026 v 10:15 odesílatel Example Support <support@example.com> napsal:",
    "On Mon, Apr 6, 2026 at 10:15 AM John Example\n\n<\nmailto:John Example <support@example.com>\n> wrote:",
]

# Blocks of header lines and separators, each followed by unquoted history.
BLOCKS = [
    "From: Example Support <support@example.com>\nSent: Monday, April 6, 2026 10:15 AM\nTo: Ann\nSubject: Your request",
    "________________________________\nFrom: Example Support <support@example.com>\nSent: Monday, April 6, 2026 10:15\n"
    "To: Ann\nSubject: Your request",
    "*From:* Example Support <support@example.com>\n*Sent:* Monday, April 6, 2026 10:15 AM\n*To:* Ann\n"
    "*Subject:* Your request",
    "-----Original Message-----\nFrom: Example Support\nSent: Monday\nSubject: Your request",
    "-------- Original message --------\nFrom: Example Support <support@example.com>\n"
    "Date: 06/04/2026 10:15 (GMT+01:00)\n"
    "To: ann@example.org\nSubject: Your request",
    "Von: Example Support <support@example.com>\nGesendet: Montag, 6. April 2026 10:15\nAn: Ann\nBetreff: Ihre Anfrage",
    "-----Ursprüngliche Nachricht-----\nVon: Example Support\nGesendet: Montag, 6. April 2026 10:15\nAn: Ann\n"
    "Betreff: x",
    "De : Example Support <support@example.com>\nEnvoyé : lundi 6 avril 2026 10:15\nÀ : Ann\nObjet : Votre demande",
    "De: Example Support <support@example.com>\nEnviado: lunes, 6 de abril de 2026 10:15\nPara: Ann\n"
    "Asunto: Su solicitud",
    "De: Example Support <support@example.com>\nEnviada em: segunda-feira, 6 de abril de 2026 10:15\n"
    "Para: Ann\nAssunto: x",
    "Da: Example Support <support@example.com>\nInviato: lunedì 6 aprile 2026 10:15\nA: Ann\nOggetto: La richiesta",
    "Van: Example Support <support@example.com>\nVerzonden: maandag 6 april 2026 10:15\nAan: Ann\n"
    "Onderwerp: Uw verzoek",
    "Od: Example Support <support@example.com>\nWysłano: poniedziałek, 6 kwietnia 2026 10:15\nDo: Ann\nTemat: Sprawa",
    "От: Example Support <support@example.com>\nОтправлено: 6 апреля 2026 г. 10:15\nКому: Ann\nТема: Запрос",
    "差出人: Example Support <support@example.com>\n送信日時: 2026年4月6日 10:15\n宛先: Ann\n件名: お問い合わせ",
    "보낸 사람: Example Support <support@example.com>\n보낸 날짜: 2026년 4월 6일 월요일 오전 10:15\n"
    "받는 사람: Ann\n제목: 문의",
    "发件人: Example Support <support@example.com>\n发送时间: 2026年4月6日 10:15\n收件人: Ann\n主题: 您的请求",
    "发件人：Example Support\n发送时间：2026年4月6日 10:15\n收件人：Ann\n主题：您的请求",
    "发件人： support@example.com\n发送时间： 2026-04-06 10:15\n收件人： ann\n主题： 您的请求",
    '------------------ 原始邮件 ------------------\n发件人: "support" <support@example.com>;\n'
    '发送时间: 2026年4月6日(星期一) 上午10:15\n收件人: "Ann"<ann@example.org>;\n主题: 您的请求',
    "------------------&nbsp;原始邮件&nbsp;------------------\n发件人: support".replace("&nbsp;", "\u00a0"),
    "---- 回复的原邮件 ----\n| 发件人 | Example Support<support@example.com> |\n| 日期 | 2026年04月06日 10:15 |\n"
    "| 收件人 | Ann<ann@example.org> |\n| 主题 | 您的请求 |",
    '---原始邮件---\n发件人: "support"<support@example.com>\n发送时间: 2026年4月6日(周一) 中午12:00\n'
    '收件人: "Ann"<ann@example.org>;',
    "------------------ Original ------------------\nFrom: support <support@example.com>\n"
    "Date: Mon,Apr 6,2026 10:15 AM\nTo: Ann",
    "-----------------------------------\n发件人：support <support@example.com>\n"
    "发送时间：2026年4月6日 10:15\n收件人：Ann\n主　题：您好",
    "寄件者: Example Support <support@example.com>\n寄件日期: 2026年4月6日 上午 10:15\n收件者: Ann\n主旨: 您的請求",
]

FORWARDS = [
    "---------- Forwarded message ---------\nFrom: Wallet <no@wallet.example>\n"
    "Date: Mon, Apr 6, 2026 at 10:15 AM\nSubject: Alert",
    "Begin forwarded message:\n\nFrom: Wallet <no@wallet.example>\nSubject: Alert\nDate: April 6, 2026",
    "> Begin forwarded message:\n>\n> From: Wallet <no@wallet.example>\n> Subject: Alert",
    "-------- Weitergeleitete Nachricht --------\nBetreff: Alarm\nDatum: Mon, 6 Apr 2026\n"
    "Von: Wallet <no@wallet.example>",
    "---------- Forwarded message ---------\n发件人： Wallet <no@wallet.example>\n"
    "Date: 2026年4月6日周一 10:15\nSubject: 警告",
    "-------- 转发的邮件 --------\n发件人: Wallet <no@wallet.example>\n主题: 警告\n日期: 2026-04-06",
    "----- 转发邮件信息 -----\n发件人：Wallet <no@wallet.example>\n发送日期：2026-04-06 10:15\n主题：警告",
    "-------- Message transféré --------\nSujet : Alerte\nDe : Wallet <no@wallet.example>",
    "---------- Mensaje reenviado ---------\nDe: Wallet <no@wallet.example>\nAsunto: Alerta",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_attribution_and_the_quote_below_it_are_cut(attribution: str) -> None:
    new, cuts = quoting.trim(f"{ANSWER}\n\n{attribution}\n\n> We are looking into it.\n> Example Support\n")
    assert new == ANSWER
    assert [cut.kind for cut in cuts] == ["quote"]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_answer_below_a_quote_survives(attribution: str) -> None:
    new, _ = quoting.trim(f"{attribution}\n> We are looking into it.\n\n{ANSWER}\n")
    assert new == ANSWER


@pytest.mark.parametrize("attribution", [a for a in ATTRIBUTIONS if "@" in a and a[0] != "E"])
def test_a_dated_attribution_with_an_address_cuts_unquoted_history(attribution: str) -> None:
    new, cuts = quoting.trim(f"{ANSWER_ZH}\n\n{attribution}\n\nWe are looking into it.\n\nExample Support\n")
    assert new == ANSWER_ZH
    assert [cut.kind for cut in cuts] == ["history"]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_header_block_cuts_the_history_below_it(block: str) -> None:
    new, cuts = quoting.trim(f"{ANSWER_ZH}\n\n{block}\n\nWe are looking into it.\n\nExample Support\n")
    assert new == ANSWER_ZH
    assert [cut.kind for cut in cuts] == ["header block"]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_mail_that_only_has_a_header_block_keeps_its_text(block: str) -> None:
    text = f"{block}\n\nWe are looking into it."
    assert quoting.trim(text) == (text, ())


@pytest.mark.parametrize("forward", FORWARDS)
def test_a_forward_keeps_the_forwarded_text(forward: str) -> None:
    text = f"Is this mail from you?\n\n{forward}\n\nYour account will be closed.\n> Click here."
    assert quoting.trim(text) == (text, ())


def test_a_forward_without_heading_is_kept_when_the_subject_says_so() -> None:
    text = f"Please look at this.\n\n{BLOCKS[0]}\n\nYour account will be closed."
    assert quoting.trim(text, forwarded=True) == (text, ())
    assert quoting.trim(text)[0] == "Please look at this."


@pytest.mark.parametrize(
    "words", ["See my answers below.", "FYI", "I got this mail:", "请看下面的邮件", "我的回答见下："]
)
def test_history_that_the_writer_points_at_is_kept(words: str) -> None:
    text = f"{words}\n\n{BLOCKS[0]}\n\nWe need your passport.\nHere it is."
    assert quoting.trim(text) == (text, ())


@pytest.mark.parametrize(
    ("subject", "forward"),
    [
        ("Fwd: Alert", True),
        ("FW: Alert", True),
        ("WG: Alarm", True),
        ("转发：警告", True),
        ("轉寄: 警告", True),
        ("Re: Fwd: Alert", True),
        ("Re: Alert", False),
        ("回复：警告", False),
        ("Trade: fwd rate", False),
        ("I: have a question", True),
    ],
)
def test_forward_subjects(subject: str, forward: bool) -> None:
    assert is_forward_subject(subject) is forward


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote:\n\nPlease reset my 2FA.\n\nNobody answered.",
        "On 3 May 2026 at 10:00 your support wrote:\n\nWe need a passport.\n\nI sent it.",
        "On your page I found this.\nOn the next page nothing.",
        "From: 0x52908400098527886E0F7030069857D2E4169EE7\nTo: 0x8617E340B3D01FA5F11F306F4090FD50E238070D\n"
        "Date: 2026-05-01\n"
        "Amount: 100 USDT\nPlease help.",
        "Hello\n\nDate: 2026-05-04\nI sent 5 USDT to my account.\nFrom: ann@example.org\nIt never came.",
        "From: Berlin\nTo: Paris\nDate: 5 May 2026\n\nThe train was late.",
        ">100 USDT is missing from my balance.",
        "This fails:\n>>> client.withdraw(100)\n>>> client.status()\nWhat is wrong?",
        "Visit us\n>>> >>> http://shop.example <<<\nnow",
        "My steps:\n- log in\n-- click withdraw\n--- wait\nNothing happens.",
        "Sent from my wallet to yours, please check.",
        "Sent from my old address. It never arrived.",
        "第一步：登录\n时间：2026-05-01\n主题：无法提现\n金额：100 USDT",
        "From: the start, this was broken.\nTo: be honest, I am angry.",
        "Original message was lost.\n\nPlease send it again.",
        "He wrote: no.\nShe wrote: yes.",
        "在 2026年5月1日 我给你们写道：请帮助我。\n没有人回答。",
        "a\n-----\nb",
        "First my question.\n--\nSecond, why is my withdrawal still pending?",
        "第一个问题\n--\n第二个问题是为什么还没有到账。",
    ],
)
def test_what_people_write_themselves_is_kept(text: str) -> None:
    assert quoting.trim(text) == (text, ())


def test_an_answer_below_a_quote_that_a_separator_introduces_survives() -> None:
    separator = "------- Original Message -------"
    new, _ = quoting.trim(f"Hello,\n\n{separator}\n{ATTRIBUTIONS[0]}\n\n> Which coin?\n\n{ANSWER}")
    assert [line for line in new.splitlines() if line] == ["Hello,", ANSWER]


def test_answers_between_quotes_survive() -> None:
    text = (
        "Hello,\n\nOn 06/04/2026 10:15, Example Support wrote:\n> What is your account?\n\nIt is 4711.\n\n"
        "> Which coin?\n\nBTC.\n\n> Example Support\n"
    )
    new, cuts = quoting.trim(text)
    assert [line for line in new.splitlines() if line] == ["Hello,", "It is 4711.", "BTC."]
    assert len(cuts) == 3


def test_new_text_on_the_line_of_an_attribution_survives() -> None:
    new, _ = quoting.trim("It works now --- On Wed, Apr 8, 2026 at 3:59 PM, support@example.com wrote:\n> Try again.")
    assert new == "It works now"


# What a letter says: sentences with values in them, and the words of dates.
LETTERS = OurLetters(
    (
        "We are looking into it.",
        "Your ticket is filed under “\0”; tell us if that is wrong.",
        "You hear from us \0.",
        "Please send us these details:",
        "order number",
        "name of the shop",
        "Bakery Help",
    ),
    "Monday Tuesday Wednesday January April between and UTC",
)
MARKER = "##- Please write your answer above this line -##"


@pytest.mark.parametrize(
    "history",
    [
        f"{MARKER}\n\nWe are looking into it.",
        f"> {MARKER}\n> We are looking into it.",
        f"{ATTRIBUTIONS[0]}\n\n{MARKER}\n\nWe are looking into it.\n",
        f"{ATTRIBUTIONS[0]}\n\n> {MARKER}\n>\n> We are looking into it.\n",
        f"{BLOCKS[1]}\n\n{MARKER}\n\nYou hear from us between Monday 6 April 2026 10:15 and\nTuesday 7 April (UTC).",
        f"{BLOCKS[0]}\n\n{MARKER}\n\nYour ticket is filed under “Bread and\nrolls”; tell us if\nthat is wrong.",
        f"{BLOCKS[0]}\n\n{MARKER}\n\nWe are looking into it.",
        "##- Please write your answer\nabove this line -##\n\nWe are looking into it.",
    ],
)
def test_our_marker_line_ends_the_new_text(history: str) -> None:
    new, cuts = quoting.trim(f"{ANSWER}\n\n{history}", marker=MARKER, letters=LETTERS)
    assert new == ANSWER
    assert cuts


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("We are looking into it.\n\nBut I want my cake today!", "But I want my cake today!"),
        ("> We are looking into it.\n\nOrder 77-41.", "Order 77-41."),
        ("> Please send us these details:\n> order number\n77-41\n> name of the shop\nDock 4", "77-41 Dock 4"),
        ("> Please send us these details:\n> order number\n> 77-41\n> name of the shop", "> 77-41"),
        ("Please send us these details:\norder number: 77-41\nname of the shop", "order number: 77-41"),
        ("You hear from us Monday 6 April 2026.\nApril is too late", "April is too late"),
        ("We are looking into it.\n\nOn Monday, 6 April 2026 at 9:00 Ann <a@b.example> wrote:\nStop it.",
         "On Monday, 6 April 2026 at 9:00 Ann <a@b.example> wrote: Stop it."),
        ("We are looking into it. \u2713\nYes", "Yes"),
    ],
)  # fmt: skip
def test_words_below_our_marker_that_are_not_ours_are_new(below: str, expected: str) -> None:
    new, cuts = quoting.trim(f"Hi\n\n{MARKER}\n{below}", marker=MARKER, letters=LETTERS)
    assert " ".join(new.split()) == f"Hi {expected}"
    assert cuts


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("> The cake is ready.\n> Which size?\n> Large, please.", "> Large, please."),
        ("The cake is\nready. Which size?\nLarge, please.", "Large, please."),
        ("> The cake is ready.\n> Which size? Large, please.\n> Bakery Help", "> Which size? Large, please."),
        ("The cake is ready.\nNo.\nWhich size?\n1", "No. 1"),
        ("> The cake is ready.\n> Which size?\n> I ordered on Monday.", ""),
        ("The cake is ready.\nI ordered on Monday.", "I ordered on Monday."),
    ],
)
def test_the_letters_of_a_ticket_tell_what_is_new_even_in_quotes(below: str, expected: str) -> None:
    sent = replace(LETTERS, sent=("The cake is ready.\nWhich size?",), said=("I ordered on Monday.",))
    new, _ = quoting.trim(f"Hi\n\n> {MARKER}\n{below}", marker=MARKER, letters=sent)
    assert " ".join(new.split()) == f"Hi {expected}".strip()


def test_a_quote_that_a_program_made_into_something_else_is_still_a_quote() -> None:
    sent = replace(LETTERS, sent=("The cake is ready. Which size?",))
    text = f"Hi\n\n> {MARKER}\n> Der Kuchen ist fertig.\n> Welche Groesse?\n> Bis morgen."
    assert quoting.trim(text, marker=MARKER, letters=sent)[0] == "Hi"


@pytest.mark.parametrize("pasted", [*BLOCKS, *(f"{one}\nSend the coins." for one in ATTRIBUTIONS), "> Error 12"])
def test_a_mail_that_answers_nothing_is_not_cut(pasted: str) -> None:
    text = f"Is this from you?\n\n{pasted}\n\nSend us your words."
    assert quoting.trim(text, answers=False) == (text, ())


def test_the_signature_of_what_a_first_mail_quotes_is_not_its_own() -> None:
    text = f"Is this from you?\n\n{BLOCKS[0]}\n\nSend us your words.\n\n-- \nSecurity team"
    assert quoting.trim(text, answers=False) == (text, ())


def test_the_signature_of_a_first_mail_is_cut() -> None:
    assert quoting.trim(f"{ANSWER}\n\n-- \nAnn", answers=False)[0] == ANSWER


@pytest.mark.parametrize("word", ["STATUS", "SOLVED", "拆分"])
@pytest.mark.parametrize("signature", ["Sent from my iPhone", "-- \nAnn Example\n+49 40 1234567", "发自我的 iPhone"])
@pytest.mark.parametrize(
    "history", [f"{ATTRIBUTIONS[0]}\n\n> Which coin?", f"{BLOCKS[1]}\n\nWhich coin?", f"> {MARKER}\n> Hi"]
)
def test_a_signature_above_history_is_cut(word: str, signature: str, history: str) -> None:
    new, cuts = quoting.trim(f"{word}\n\n{signature}\n\n{history}\n", marker=MARKER)
    assert new == word
    assert {cut.kind for cut in cuts} >= {"signature"}


@pytest.mark.parametrize(
    "text",
    [
        "My points:\n--\nno money\nno answer\naccount 99",
        "My points:\n—\nno money\nno answer",
        "My points:\n---\nno money",
        "My points:\n–\nno money",
        "My points:\n --\nno money",
    ],
)
def test_other_dashes_are_no_signature(text: str) -> None:
    assert quoting.trim(text) == (text, ())


@pytest.mark.parametrize(
    "history",
    [
        "Bakery Help <help@bakery.example> schrieb am Di., 3.\nMärz 2026 um 08:05 Uhr:\n\n> Welche Torte?",
        "Le mar. 3 mars 2026 à\n08:05, Bakery Help <help@bakery.example> a\nécrit :\n\n> Quel gâteau ?",
        "El mar, 3 mar 2026 a las 8:05, Bakery Help\n(<help@bakery.example>)\nescribió:\n\n> ¿Qué pastel?",
        "wt., 3 mar 2026 o 08:05 Bakery Help\n<help@bakery.example>\nnapisał(a):\n\n> Który tort?",
        "Op di 3 mrt\n2026 om 08:05 schreef Bakery Help\n<help@bakery.example>:\n\n> Welke taart?",
        "2026/03/03 Bakery Help <help@bakery.example>\n\n| Which cake?\n|\n| Answer here.",
        "On Tue, 3 Mar 2026, Bakery Help <help@bakery.example> wrote:\n| Which cake?\n| Which size?",
    ],
)
def test_an_attribution_wrapped_anywhere_is_cut_with_its_quote(history: str) -> None:
    assert quoting.trim(f"{ANSWER}\n\n{history}\n")[0] == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "Prices:\n| cake | 3 |\n| bread | 4 |\nWhich is right?",
        "I was there on 3 March 2026 at 10:00:\n\nNobody came.",
        "My list of 2026:\n- cake\n- bread",
    ],
)
def test_tables_and_lists_are_no_quotes(text: str) -> None:
    assert quoting.trim(text) == (text, ())


@pytest.mark.parametrize(
    ("subject", "reply"),
    [
        ("Re: cake", True), ("RE[2]: cake", True), ("AW: Torte", True), ("[EXTERN] Antw: taart", True),
        ("SV: kaka", True),
        ("Odp: tort", True), ("Ynt: pasta", True), ("回复：蛋糕", True), ("Ответ: торт", True),
        ("(external) Re: cake", True),
        ("R: torta", True), ("Res: bolo", True), ("*** SPAM *** Re: cake", True),
        ("Report: cake", False), ("Cake re: size", False), ("Fwd: cake", False),
        ("Resent order", False), ("cake", False),
    ],
)  # fmt: skip
def test_reply_subjects(subject: str, reply: bool) -> None:
    assert is_reply_subject(subject) is reply


def test_an_answer_below_the_marker_is_kept_when_none_stands_above() -> None:
    new, _ = quoting.trim(f"> {MARKER}\n> We are looking into it.\n\n{ANSWER}", marker=MARKER)
    assert new == ANSWER


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAnn Example\nExample Ltd.",
        "-- \nAnn\n" + "Example Ltd., Harbour Street 4, room for all who wait there and for those who do not.\n" * 20,
        "Sent from my iPhone",
        "Sent from my Samsung Galaxy smartphone.",
        "Get Outlook for iOS",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verzonden vanaf mijn iPhone",
        "Отправлено с iPhone",
        "发自我的 iPhone",
        "来自我的华为手机",
        "從我的 iPhone 傳送",
        "iPhoneから送信",
        "나의 iPhone에서 보냄",
    ],
)
def test_a_closing_signature_is_cut(signature: str) -> None:
    new, cuts = quoting.trim(f"{ANSWER}\n\n{signature}\n")
    assert new == ANSWER
    assert [cut.kind for cut in cuts] == ["signature"]


def test_text_below_a_signature_with_a_quote_in_between_is_kept() -> None:
    new, _ = quoting.trim("-- \nAnn\n\n> Which coin?\n\nBTC, as I said.")
    assert "BTC, as I said." in new


@pytest.mark.parametrize(
    "text",
    [
        "On Mon, Apr 6, 2026 at 10:15 AM Ann <ann@example.org> wrote:",
        "> only a quote",
        "--\nAnn",
        "Sent from my iPhone",
    ],
)
def test_a_mail_with_text_never_becomes_empty(text: str) -> None:
    assert quoting.trim(text)[0] == text


def test_a_blank_mail_has_no_new_text() -> None:
    assert quoting.trim(" \n\t\n") == ("", ())


_PIECES = st.sampled_from(
    [
        *ATTRIBUTIONS,
        *BLOCKS,
        *FORWARDS,
        MARKER,
        "> quoted",
        ">",
        ">> deeper",
        "",
        " ",
        ANSWER,
        ANSWER_ZH,
        "-- ",
        "Sent from my iPhone",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(_PIECES, st.text(max_size=40)), max_size=25), st.sampled_from(["", MARKER]))
def test_new_text_is_made_of_lines_of_the_text_and_never_empty(pieces: list[str], marker: str) -> None:
    text = "\n".join(pieces)
    new, cuts = quoting.trim(text, marker=marker)
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.rstrip() for line in normal.split("\n")]
    at = 0
    for line in new.replace("\r", "\n").split("\n"):
        if line.strip():
            at = next(i for i in range(at, len(lines)) if lines[i].strip().startswith(line.strip())) + 1
    assert bool(new.strip()) == bool(text.strip())
    assert all(cut.lines > 0 for cut in cuts)


def _seconds(text: str) -> float:
    begin = time.process_time()
    quoting.trim(text, marker=MARKER, letters=LETTERS)
    return time.process_time() - begin


@pytest.mark.parametrize(
    "unit",
    [
        "On ",
        "On a\n",
        "On Mon, Apr 6, 2026 at 10:15 AM a@b.example\n",
        "wrote:\n",
        "On 1/1/2026 wrote:\nx\n",
        ">",
        "> a\n",
        "> \n\n",
        " ",
        "\t\n",
        "_",
        "_\n",
        "-",
        "---\n",
        "\n",
        "From: a@b.example\n",
        "From: a\nSent: 1 May 2026\n",
        "-----Original Message-----\n",
        "below:\n-----Original Message-----\n",
        "a@",
        "<",
        "1/",
        "写道：\n",
        "在 2026年",
        "##- Please write\n",
        "# # - P",
        "#\n\n\n\n",
        "-- \n",
        "Sent from my \n",
    ],
)
def test_the_cost_grows_linearly(unit: str) -> None:
    small, large = unit * (40_000 // len(unit)), unit * (80_000 // len(unit))
    pairs = [(_seconds(small), _seconds(large)) for _ in range(5)]
    assert min(double for _, double in pairs) < 2.6 * min(single for single, _ in pairs) + 0.02


def test_a_text_beyond_the_limit_keeps_its_end() -> None:
    text = "word " * 80_000 + "\nthe end"
    assert quoting.trim(text)[0] == text


def test_a_signature_mark_at_the_limit_is_none() -> None:
    head = "word\n" * (quoting.MAX_TEXT // 5 - 2)
    text = head + "-- \nsecond\nthird " + "word\n" * 100 + "the end"
    new, cuts = quoting.trim(text)
    assert cuts == ()
    assert "".join(new.split()) == "".join(text.split())


def test_history_beyond_the_limit_is_cut_with_the_history_before_it() -> None:
    text = f"{ANSWER}\n\n{ATTRIBUTIONS[0]}\n\n" + "> old words\n" * 40_000
    assert quoting.trim(text)[0] == ANSWER


def test_a_line_that_was_text_above_may_begin_history_below() -> None:
    line = "On Monday Ann Example"
    wrapped = f"{line}\n<ann@example.org> wrote on 2026-11-02 at 10:00:"
    new, _ = quoting.trim(f"{line}\nsaid so.\n\n{wrapped}\n> It is lost.")
    assert new == f"{line}\nsaid so."
    ours = "We are looking into it."
    mine = f"You say:\n{ours}\n\nMy cake\nwas to be\nhere on\nSunday\nat noon"
    below = f"{MARKER}\nIt is Monday\n{ours}"
    assert quoting.trim(f"{mine}\n\n{below}", marker=MARKER, letters=LETTERS)[0] == f"{mine}\n\nIt is Monday"
    quoted = "| It is lost."
    assert quoting.trim(f"It is lost.\n\n{wrapped}\n{quoted}\nIt is lost.")[0] == "It is lost.\n\nIt is lost."


@pytest.mark.parametrize("line", [MARKER, f"> {MARKER}", MARKER.replace(" ", ""), MARKER[:9] + "\n" + MARKER[9:]])
def test_the_marker_is_seen_however_it_was_quoted_or_wrapped(line: str) -> None:
    assert quoting.has_marker(f"Hi\n\n{line}\n\nAnn wrote", MARKER)
    assert not quoting.has_marker(f"Hi\n\n{line[:4]}\n\nAnn wrote", MARKER)
