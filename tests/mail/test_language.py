"""Which language short and long texts of support mail are in, and when none can be told."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.mail.language import language

TEXTS = [
    ("en", "Hello, I sent 0.5 BTC to my account yesterday and it has not arrived. Please check."),
    ("en", "Thanks"),
    ("en", "Thank you very much, it works now."),
    ("en", "My withdrawal is stuck. TXID 0x52908400098527886E0F7030069857D2E4169EE7 https://chain.example/tx/1"),
    ("en", "Dear team, 张三 (Zhang San) cannot log in to the account. Could you help him, please? We need it today."),
    ("zh-Hans", "你好，我的充值没有到账，请帮忙查询。"),
    ("zh-Hans", "您好，API 返回 error 1002，withdraw 接口一直失败，请问怎么处理？"),
    ("zh-Hans", "我的账户被冻结了"),
    ("zh-Hans", "你好"),
    ("zh-Hant", "您好，我的帳戶無法登入，請協助處理。"),
    ("zh-Hant", "提領一直沒有到帳，謝謝"),
    ("zh-Hant", "為什麼我的訂單還沒有成交？"),
    ("ja", "お世話になっております。入金が反映されていません。ご確認をお願いします。"),
    ("ja", "出金できません"),
    ("ko", "안녕하세요. 입금이 아직 반영되지 않았습니다. 확인 부탁드립니다."),
    ("de", "Guten Tag, meine Auszahlung ist noch nicht angekommen. Vielen Dank für Ihre Hilfe."),
    ("fr", "Bonjour, je n'ai pas reçu mon retrait. Merci de vérifier."),
    ("es", "Hola, mi retiro no ha llegado todavía. Muchas gracias por su ayuda."),
    ("pt", "Olá, meu saque ainda não chegou. Muito obrigado."),
    ("it", "Buongiorno, il mio prelievo non è ancora arrivato. Grazie mille, cordiali saluti."),
    ("nl", "Hallo, mijn opname is nog niet aangekomen. Bedankt voor het kijken."),
    ("pl", "Dzień dobry, moja wypłata jeszcze nie dotarła. Proszę o pomoc, dziękuję."),
    ("ru", "Здравствуйте, вывод средств ещё не пришёл. Спасибо."),
    ("ru", "Почему мой счёт заблокирован?"),
    ("uk", "Доброго дня, чому мої кошти ще не надійшли? Дякую за відповідь, чекаю її."),
    ("tr", "Merhaba, param hesabıma hala gelmedi, lütfen kontrol edin. Teşekkürler."),
    ("vi", "Xin chào, tôi chưa nhận được tiền rút. Vui lòng kiểm tra giúp tôi."),
    ("ar", "مرحبا، لم يصل السحب إلى حسابي حتى الآن"),
    ("th", "สวัสดีครับ ยอดฝากยังไม่เข้า"),
    ("el", "Καλησπέρα, η ανάληψή μου δεν έχει φτάσει."),
    ("", ""),
    ("", "12345"),
    ("", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ("", "BTC USDT ETH"),
    ("", "ok"),
    ("", "ann@example.org https://example.org/the/and/is"),
]


@pytest.mark.parametrize(("code", "text"), TEXTS)
def test_the_language_of_a_text(code: str, text: str) -> None:
    assert language(text) == code


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert isinstance(language(text), str)


@pytest.mark.parametrize("unit", ["a", "a ", "@", "1", "http://", "的", " ", "é", "а", "a'"])
def test_a_long_text_costs_no_more_than_its_beginning(unit: str) -> None:
    begin = time.process_time()
    language(unit * 500_000)
    assert time.process_time() - begin < 1
