"""Machines and people by whole mails: groups, forms, lists, reactions, recalls, absences, and bounces of any make."""

from __future__ import annotations

import json

import pytest

from mailticket.mail import read
from mailticket.mail.values import Mail, Ourselves

SITE = Ourselves(own_addresses=frozenset({"help@harbour.example"}), loop_mark="harbour-1")


def mail(*fields: str, text: str = "My card was charged twice, please look.") -> Mail:
    names = {field.partition(":")[0].lower() for field in fields}
    basic = (
        "From: Ida <ida@people.example>",
        "To: help@harbour.example",
        "Subject: Charged twice",
        "Message-ID: <1@p.example>",
    )
    missing = [field for field in basic if field.partition(":")[0].lower() not in names]
    return read("\r\n".join([*fields, *missing, "", text.replace("\n", "\r\n")]).encode(), SITE)


def kind(*fields: str, text: str = "My card was charged twice, please look.") -> str:
    automatic = mail(*fields, text=text).automatic
    return automatic.kind if automatic else ""


GROUP = ("From: 'Ida' via Help <help@harbour.example>", "List-ID: <help.harbour.example>", "Precedence: list",
         "List-Post: <mailto:help@harbour.example>")  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "address", "header"),
    [
        ((*GROUP, "Reply-To: Ida <ida@people.example>"), "ida@people.example", "Reply-To"),
        ((*GROUP, "Reply-To: help@harbour.example, Ida <ida@people.example>"), "ida@people.example", "Reply-To"),
        ((*GROUP, "X-Original-From: Ida <ida@people.example>"), "ida@people.example", "X-Original-From"),
        ((*GROUP, "X-Original-Sender: ida@people.example"), "ida@people.example", "X-Original-Sender"),
        (("From: noreply@harbour.example", "Reply-To: ida@people.example"), "ida@people.example", "Reply-To"),
        (("From: Forms <no-reply@forms.example>", "Reply-To: ida@people.example"), "ida@people.example", "Reply-To"),
    ],
)  # fmt: skip
def test_a_group_or_form_writes_for_a_person(fields: tuple[str, ...], address: str, header: str) -> None:
    read_mail = mail(*fields)
    assert read_mail.automatic is None
    assert read_mail.claimed is not None
    assert (read_mail.claimed.address, read_mail.claimed_by) == (address, header)


@pytest.mark.parametrize(
    "fields",
    [
        ("From: Help <help@harbour.example>",),
        ("From: help@harbour.example", "Reply-To: help@harbour.example"),
        ("From: help@harbour.example", "Reply-To: no-reply@forms.example"),
        ("From: help@harbour.example", "Reply-To: ida@people.example, bob@people.example"),
        ("From: no-reply@shop.example",),
    ],
)
def test_nobody_is_claimed_and_no_person_wrote(fields: tuple[str, ...]) -> None:
    read_mail = mail(*fields)
    assert read_mail.claimed is None
    assert read_mail.automatic is not None and read_mail.automatic.kind == "auto-generated"


def test_a_claim_changes_nothing_of_other_mail() -> None:
    assert mail("Reply-To: other@people.example").claimed is None
    desk = mail("From: no-reply@shop.example", "Reply-To: desk@shop.example")
    assert desk.automatic is not None, "a shop's own desk is no person with a form"
    assert kind(*GROUP, "Reply-To: ida@people.example", "Auto-Submitted: auto-replied") == "auto-reply"
    assert kind(*GROUP, "Reply-To: ida@people.example", "X-Loop: harbour-1") == "own"


LISTED = [
    "List-ID: <crew.people.example>",
    "Precedence: bulk",
    "Precedence: list",
    "Mailing-List: crew@people.example",
    "Return-Path: <>",
    "List-Unsubscribe: <https://crm.example/u/1>",
]


@pytest.mark.parametrize("field", LISTED)
@pytest.mark.parametrize(
    "to",
    ["To: help@harbour.example", "To: crew@people.example\r\nCc: HELP@harbour.example", "To: help+7@harbour.example"],
)
def test_distribution_withholds_letters_and_takes_nobody_for_a_list(field: str, to: str) -> None:
    read_mail = mail(field, *to.split("\r\n"))
    assert read_mail.automatic is None
    assert read_mail.suppress


@pytest.mark.parametrize("field", LISTED[:-1])
def test_what_names_us_nowhere_came_by_distribution(field: str) -> None:
    read_mail = mail(field, "To: crew@people.example")
    assert read_mail.automatic is not None and read_mail.automatic.distribution


@pytest.mark.parametrize(
    "text",
    [
        "❤️\n\nIda reacted via Gmail\n<https://www.google.com/gmail/about/?utm_campaign=emojireactionemail#app>",
        "[Like] Ida Example reacted to your message:",
        "Ida Beispiel hat auf Ihre Nachricht reagiert:\n________________________________\nVon: Help",
        "Liked “We have sent your money back.”",
        "Ida a réagi à votre message :",
        "😀\n\nTom hat über Gmail reagiert",
        "Tom ha reaccionado a tu mensaje:",
        'Loved "Your case is closed."',
    ],
)
def test_a_click_on_an_emoji_is_a_reaction(text: str) -> None:
    read_mail = mail("Subject: Re: Charged twice", text=text)
    assert read_mail.automatic is not None
    assert (read_mail.automatic.kind, read_mail.automatic.reason[:9]) == ("auto-reply", "reaction:")


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "👍 thanks, it works now",
        "Nobody reacted to your message: why should they? Send me my money.",
        "My sister liked “Harbour” and wants an account.",
        "Ida reacted to your message: she is angry, and so am I.",
    ],
)
def test_people_write_emoji_and_about_reactions(text: str) -> None:
    assert kind("Subject: Re: Charged twice", text=text) == ""


def test_the_part_of_a_reaction_is_enough() -> None:
    part = json.dumps({"emoji": "🎉", "version": 1})
    raw = (
        "From: ida@people.example\nTo: help@harbour.example\nSubject: Re: x\n"
        'Content-Type: multipart/alternative; boundary="q"\n\n--q\n\n🎉\n'
        f"--q\nContent-Type: text/vnd.google.email-reaction+json\n\n{part}\n--q--\n"
    )
    automatic = read(raw.encode(), SITE).automatic
    assert automatic is not None and automatic.reason == "reaction: 🎉"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Recall: Charged twice", 'Ida Example would like to recall the message, "Charged twice".'),
        ("Rückruf: Doppelt belastet", 'Ida möchte die Nachricht "Doppelt belastet" zurückrufen.'),
        ("Rappel : Débité deux fois", "Ida souhaite rappeler le message « Débité deux fois »."),
        ("Отзыв: Списано дважды", 'Ида хочет отозвать сообщение "Списано дважды".'),
        ("撤回: 重复扣款", "Ida 希望撤回邮件“重复扣款”。"),
    ],
)
def test_a_recall_is_a_programs(subject: str, text: str) -> None:
    assert kind(f"Subject: {subject}", text=text) == "auto-reply"


def test_people_who_write_of_recalls_are_people() -> None:
    assert kind("Subject: Recall: my old wallet", text="I recall that I had a wallet with you.") == ""
    assert kind("Subject: Rappel : facture", text="Je vous rappelle que j'attends une réponse.") == ""
    assert kind("Subject: Question", text="I would like to recall the message that I sent.") == ""


def test_an_exchange_rule_answers_and_a_rule_that_passes_on_does_not() -> None:
    suppress = "X-Auto-Response-Suppress: All"
    assert kind(suppress, "X-MS-Exchange-Inbox-Rules-Loop: ida@people.example") == "auto-reply"
    assert kind(suppress, "X-MS-Exchange-Inbox-Rules-Loop: desk@people.example") == "", (
        "passed on by a colleague's rule"
    )
    assert kind("X-MS-Exchange-Inbox-Rules-Loop: ida@people.example") == ""
    assert kind(suppress) == ""
    assert kind(suppress, "X-MS-Exchange-Inbox-Rules-Loop: ida@people.example", "Subject: Fwd: Charged twice") == ""


NOTES = [
    ("Ārpus biroja - automātiska atbilde: Charged twice", "Esmu atvaļinājumā līdz 5. maijam."),
    ("Automatyczna odpowiedź: Karta", "Jestem na urlopie do 5 maja."),
    ("Sjálfvirkt svar: Kort", "Ég er í fríi til 5. maí."),
    ("رد تلقائي: بطاقة", "أنا في إجازة حتى 5 مايو."),
    ("תשובה אוטומטית: כרטיס", "אני בחופשה עד 5 במאי."),
    ("ตอบกลับอัตโนมัติ: บัตร", "ลาพักร้อนถึงวันที่ 5"),
    ("Erantzun automatikoa: Txartela", "Oporretan nago maiatzaren 5era arte."),
    ("Re: Charged twice", "Kiitos viestistäsi. Olen lomalla 5.5. asti, palaan toimistolle 6.5."),
    ("Charged twice", "Děkuji za Váš e-mail. Jsem na dovolené do 5. 5. V naléhavých případech pište kolegyni."),
    ("Charged twice", "Дякую за лист. Я у відпустці до 5 травня."),
    ("Re: Charged twice", "Köszönöm levelét! Május 5-ig szabadságon vagyok."),
    ("Re: Charged twice", "Terima kasih atas pesan Anda. Saya sedang cuti sampai 5 Mei."),
    ("Re: Charged twice", "Σας ευχαριστώ για το μήνυμα. Είμαι σε άδεια μέχρι τις 5/5."),
    ("Re: Charged twice", "Mesajınız için teşekkürler. 5 Mayıs'a kadar yıllık izindeyim."),
    ("Automaatvastus: Kaart", "Tere, olen puhkusel kuni 7. juulini."),
    ("Re: Charged twice", "Ačiū už laišką. Šiuo metu atostogauju ir grįšiu liepos 7 d."),
    ("Re: Charged twice", "Hvala na poruci. Na godišnjem sam odmoru do 7. srpnja."),
    ("Charged twice", "Takk for din e-post. Jeg er på ferie til 7. juli. Ved hastesaker, kontakt Kari."),
    ("Re: Charged twice", "Благодаря за съобщението. В отпуск съм до 7 юли."),
    ("पुनः Charged twice", "आपके ईमेल के लिए धन्यवाद। मैं 7 जुलाई तक छुट्टी पर हूँ।"),
    ("Charged twice", "メールをいただきありがとうございます。7月7日まで休暇をいただいております。"),
    ("Re: Charged twice", "Mulțumesc pentru mesaj. Sunt în concediu până pe 5 mai."),
]


@pytest.mark.parametrize(("subject", "text"), NOTES)
def test_an_absence_note_without_any_header(subject: str, text: str) -> None:
    assert kind(f"Subject: {subject}", text=text) == "auto-reply"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Help", "Thank you for your help. I am on vacation until Monday, can you unlock my account until then?"),
        ("Re: Charged twice", "Olen lomalla 5.5. asti. Tilini on lukittu, auttakaa."),
        ("Re: Charged twice", "Jsem na dovolené do pátku a potřebuji heslo."),
        ("Re: Charged twice", "Jestem na urlopie do 5 maja i moje konto jest zablokowane."),
        ("Re: Charged twice", "Estou de férias até 5 de maio e preciso de entrar na minha conta."),
        ("Out of office hours", "Your phone is silent outside of office hours. I need my money."),
        ("Charged twice", "I am out of office until Monday."),
        ("Автоматический вывод не работает", "Спасибо. Вывод стоит второй день."),
    ],
)
def test_travellers_are_people_in_every_language(subject: str, text: str) -> None:
    assert kind(f"Subject: {subject}", text=text) == ""


BOUNCES = [  # sender, subject, words, address, action, status
    (
        "virus-filter@relay.example",
        "Delivery failure",
        "Your message could not be delivered to:\n\nbob@far.example\n",
        "bob@far.example",
        "failed",
        "",
    ),
    (
        "mx-scanner@relay.example",
        "Undeliverable: Re: Case",
        "Sorry, your mail was not delivered.\n\n<bob@far.example>\nuser unknown\n",
        "bob@far.example",
        "failed",
        "5.1.1",
    ),
    (
        "MAILER-DAEMON@relay.example",
        "",
        "I was unable to deliver the message to this address:\n\n<bob@far.example>\n\n"
        "--- Below this line is a copy of the message.\n\nSubject: x\n",
        "bob@far.example",
        "failed",
        "",
    ),
    (
        "postmaster@relay.example",
        "Mail Delivery Warning",
        "This is an advisory-only email.\n\nDelivery to\n\nbob@far.example\n\n"
        "has been postponed. We will continue to try.",
        "bob@far.example",
        "delayed",
        "",
    ),
    (
        "mailer-daemon@relay.example",
        "Undelivered Mail",
        "The user tonia.bell@far.example has been disabled (550 5.2.1).",
        "tonia.bell@far.example",
        "failed",
        "5.2.1",
    ),
    (
        "mailer-daemon@relay.example",
        "Undelivered Mail",
        "Your mail could not be delivered: bob77 does not accept mail from\nhelp@harbour.example:\n",
        "",
        "failed",
        "",
    ),
]


@pytest.mark.parametrize(("sender", "subject", "words", "address", "action", "status"), BOUNCES)
def test_a_bounce_of_unknown_make(
    sender: str, subject: str, words: str, address: str, action: str, status: str
) -> None:
    read_mail = mail(f"From: {sender}", f"Subject: {subject}", text=words)
    assert read_mail.automatic is not None and read_mail.automatic.kind == "bounce"
    assert read_mail.bounce is not None
    (one,) = read_mail.bounce.recipients
    assert (one.address, one.action) == (address, action)
    assert not status or one.status == status


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Mail delivery failed", "Hello, I got this back:\n\nbob@far.example\nuser unknown\n\nWhat does it mean?"),
        ("Delivery failed", "My parcel with the wallet was not delivered.\n\nIda"),
        ("Undeliverable", "Your mails do not reach me. Is ida@people.example right?\n\nida@people.example"),
        ("Message not delivered", "I wrote to you three times. Here is my address:\n\nida@people.example"),
        ("Delivery problem", "Please write to me at my new address, the old one is full."),
    ],
)
def test_people_who_write_of_failed_mail_are_people(subject: str, words: str) -> None:
    read_mail = mail(f"Subject: {subject}", text=words)
    assert (read_mail.automatic, read_mail.bounce) == (None, None)


def notice(event: str, **more: object) -> str:
    content = {"notificationType": event, **more, "mail": {"messageId": "0107019c-77aa-000000",
               "commonHeaders": {"messageId": "ours.7@harbour.example", "subject": "[MT-7F3K-92QW]"}}}  # fmt: skip
    return json.dumps({"Type": "Notification", "TopicArn": "arn:x", "Message": json.dumps(content)}, indent=1)


def test_a_bounce_in_the_envelope_of_sns() -> None:
    failed = {"bouncedRecipients": [{"emailAddress": "bob@far.example", "action": "failed", "status": "5.1.1"}]}
    bounce = mail("From: no-reply@sns.example", text=notice("Bounce", bounce=failed)).bounce
    assert bounce is not None
    assert (bounce.recipients[0].address, bounce.recipients[0].status) == ("bob@far.example", "5.1.1")
    assert (bounce.original_message_id, bounce.queue_ids) == ("<ours.7@harbour.example>", ("0107019c-77aa-000000",))
    assert "MT-7F3K-92QW" in bounce.original_subject
    quoted = mail("Subject: What is this?", text="I got this:\n" + notice("Bounce", bounce=failed))
    assert quoted.bounce is None, "a person shows it"


def test_complaints_in_envelopes_and_without_a_type() -> None:
    people = {"complainedRecipients": [{"emailAddress": "bob@far.example"}]}
    assert kind("From: no-reply@sns.example", text=notice("Complaint", complaint=people)) == "feedback-report"
    returned = (
        "\n\n--h\nContent-Type: message/rfc822\n\n{}From: help@harbour.example\nSubject: Your case\n\nHi\n--h--\n"
    )
    attached = 'Content-Type: multipart/mixed; boundary="h"'
    jmrp = returned.format("X-HmXmrOriginalRecipient: bob@far.example\n")
    assert kind(attached, "From: staff@far.example", "Subject: complaint", text=jmrp) == "feedback-report"
    assert (
        kind(attached, "Subject: Email Feedback Report for IP 192.0.2.1", text=returned.format("")) == "feedback-report"
    )
    assert kind(attached, "Subject: Fwd: Your case", text=returned.format("")) == "", "a person passes our letter on"
    assert kind("Subject: Complaint about message from your staff", text="It was rude.") == ""


def receipt(disposition: str, words: str, sender: str = "postmaster@far.example") -> Mail:
    text = (
        f"--f\n\n{words}\n--f\nContent-Type: message/disposition-notification\n\n"
        f"Final-Recipient: rfc822; bob@far.example\n"
        f"Original-Message-ID: <ours.8@harbour.example>\nDisposition: {disposition}\n--f--\n"
    )
    return mail(
        f"From: {sender}",
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="f"',
        text=text,
    )


@pytest.mark.parametrize(
    ("disposition", "words"),
    [
        ("automatic-action/MDN-sent-automatically; deleted", "Your message was automatically rejected: mailbox full"),
        ("automatic-action/MDN-sent-automatically; failed", "It did not work."),
        ("automatic-action/MDN-sent-automatically; denied", "No."),
        ("automatic-action/MDN-sent-automatically; processed/error", "The filter failed."),
        ("automatic-action/MDN-sent-automatically;deleted", "Ihre Nachricht wurde abgelehnt."),
    ],
)
def test_a_receipt_that_refuses_is_a_bounce(disposition: str, words: str) -> None:
    bounce = receipt(disposition, words).bounce
    assert bounce is not None
    assert (bounce.recipients[0].address, bounce.recipients[0].action) == ("bob@far.example", "failed")
    assert bounce.original_message_id == "<ours.8@harbour.example>"


@pytest.mark.parametrize(
    "disposition", ["manual-action/MDN-sent-manually; displayed", "manual-action/MDN-sent-automatically; deleted"]
)
def test_a_receipt_of_a_reading_is_none(disposition: str) -> None:
    read_mail = receipt(disposition, "Your message was displayed.", "bob@far.example")
    assert read_mail.bounce is None
    assert read_mail.automatic is not None and read_mail.automatic.kind == "read-receipt"


@pytest.mark.parametrize(
    ("status", "diagnostic", "expected"),
    [
        ("5.1.1", "smtp; 552 5.2.2 Mailbox is over its quota", "5.2.2"),
        ("5.1.1", "smtp; 550 Mailbox full", "5.2.2"),
        ("5.1.1", "smtp; 554 Your host is blocked using zen.example", "5.7.1"),
        ("5.5.0", "smtp; 550 5.7.1 Refused by policy", "5.7.1"),
        ("5.1.1", "smtp; 550 5.1.1 user unknown", "5.1.1"),
        ("5.1.1", "smtp; 550 no such user", "5.1.1"),
        ("5.2.2", "smtp; 550 5.1.1 unknown", "5.2.2"),
        ("5.0.0", "smtp; 550 5.7.26 DMARC", "5.7.26"),
    ],
)
def test_the_remotes_own_words_win_over_a_catch_all(status: str, diagnostic: str, expected: str) -> None:
    text = (
        "--d\n\nNot delivered.\n--d\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.far.example\n\n"
        f"Final-Recipient: rfc822; bob@far.example\nAction: failed\nStatus: {status}\n"
        f"Diagnostic-Code: {diagnostic}\n--d--\n"
    )
    report = 'Content-Type: multipart/report; report-type=delivery-status; boundary="d"'
    bounce = mail(report, "From: mailer-daemon@mx.far.example", text=text).bounce
    assert bounce is not None
    assert bounce.recipients[0].status == expected
