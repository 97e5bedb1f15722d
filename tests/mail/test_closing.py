"""What closes a mail: the lines of phones and programs, and sentences that only look like them."""

from __future__ import annotations

import pytest

from mailticket.mail.closing import is_program_line, without_closing

PROGRAMS = [
    "Sent from my iPhone",
    "Sent from my iPad",
    "发自我的iPhone",
    "发自我的 iPhone",
    "發自我的 iPhone",
    "從我的iPhone傳送",
    "从我的 iPhone 发送",
    "从我的华为手机发送",
    "發送自我的 HUAWEI 手機",
    "来自我的华为手机",
    "发自我的小米手机",
    "发自我的vivo手机",
    "从 Windows 版邮件发送",
    "发送自 Windows 10 版邮件应用",
    "Sent from Mail for Windows",
    "Sent from Mail for Windows 10",
    "Sent from [Mail](https://go.microsoft.com/fwlink/?LinkId=550986) for Windows",
    "Get Outlook for iOS",
    "Get [Outlook for iOS](https://aka.ms/o0ukef)",
    "Get Outlook for Android<https://aka.ms/AAb9ysg>",
    "获取 Outlook for iOS",
    "取得 Outlook for Android",
    "取得適用於 iOS 的 Outlook",
    "下载适用于 Android 的 Outlook",
    "获取适用于 iOS 的 Outlook",
    "Sent from Outlook for iOS",
    "Sent from Outlook for Android",
    "Sent from Outlook Mobile",
    "Gesendet von Outlook für iOS",
    "Holen Sie sich Outlook für iOS",
    "Von meinem iPhone gesendet",
    "Gesendet von meinem Samsung Galaxy Smartphone.",
    "Gesendet mit der GMX Mail App",
    "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
    "Sent with Proton Mail secure email.",
    "Sent from Proton Mail for iOS",
    "Sent from Yahoo Mail on Android",
    "Sent from Yahoo Mail for iPhone",
    "Sent from my Galaxy",
    "Sent from my Samsung Galaxy smartphone.",
    "Sent from my Verizon, Samsung Galaxy smartphone",
    "Sent from my Huawei phone",
    "Sent from Samsung Mobile",
    "Sent from Gmail Mobile",
    "Sent via BlackBerry",
    "Sent from my mobile device",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Enviado do meu iPhone",
    "Inviato da iPhone",
    "Отправлено с iPhone",
    "iPhoneから送信",
    "Wysłane z iPhone'a",
    "Verzonden vanaf mijn iPhone",
    "Skickat från min iPhone",
    "发自我的网易邮箱大师",
    "发自网易邮箱大师",
    "发自网易邮箱手机版",
    "发自 QQ邮箱",
    "来自 Outlook 的邮件",
    "发自飞书",
    "Sent from HCL Verse",
    "Sent from my Xiaomi phone",
    "Sent using Zoho Mail",
    "Sent from Thunderbird for Android",
    "Sent from Spark",
]

SENTENCES = [
    "Sent from my desk to yours",
    "It was sent from our bank yesterday.",
    "Sent from Hamburg",
    "We sent it by mail.",
    "Please get Outlook for help? No",
    "从您的手机发送验证码即可",
    "请从手机邮箱发送验证邮件",
    "从您注册的邮箱发送邮件到客服",
    "发自内心的感谢",
    "Outlook",
    "Get the app",
    "Sent via SWIFT",
    "取得联系",
    "请下载手机版 Outlook 并登录",
    "Sent to your phone",
    "The code is sent to your mobile",
    "来自手机的登录请求",
    "寄自香港",
    "从您注册的邮箱发送",
    "请从手机邮箱发送",
    "发自我的账户的转账",
    "Sent from Hamburg by post",
]


@pytest.mark.parametrize("line", PROGRAMS)
def test_a_program_s_line_is_cut_wherever_it_stands(line: str) -> None:
    assert is_program_line(line)
    assert is_program_line(f"  *{line}*  ")
    assert without_closing(["Done.", "", line]) == (["Done."], True)
    assert without_closing(["Done.", line, "PS"]) == (["Done.", "PS"], True)


@pytest.mark.parametrize("line", SENTENCES)
def test_a_sentence_is_kept(line: str) -> None:
    assert not is_program_line(line)
    assert without_closing(["Done.", line])[0] == ["Done.", line]
