"""In which language a text is written: by script, then by Chinese character form or by common words; in doubt none."""

from __future__ import annotations

from collections import Counter

from mailticket.text.hanzi import ONLY_SIMPLIFIED, ONLY_TRADITIONAL
from mailticket.text.patterns import lazy_pattern

SAMPLE = 4000  # characters looked at; a language shows earlier
_NOISE = lazy_pattern(r"https?://\S{1,2000}|\S{1,100}@\S{1,200}|\b(?=\w{0,60}\d)\w{4,}")
_NOISE_WITHOUT_ADDRESS = lazy_pattern(r"https?://\S{1,2000}|\b(?=\w{0,60}\d)\w{4,}")  # a quarter of the time
_WORD = lazy_pattern(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

# Frequent words of each language in Latin letters. A word of several languages counts for each of them.
_COMMON: dict[str, frozenset[str]] = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the and to of is in it you that was for on are with as my have has this be at not but from your we"
        " can i'm i've an please hello hi dear thanks thank regards what how why when still been would could"
        " me do did does don't will which there they account help need want received sent any or if no yes he"
        " she it's i after because",
        "de": "der die das und ist nicht ich sie mit für auf dem den ein eine einen zu von im es auch mein meine"
        " meinem haben habe hat wir wie aber bitte danke hallo vielen dank grüße guten tag wurde werden kann"
        " noch wenn nach bei sich als mir uns ihr ihre ihnen keine kein sehr geehrte warum",
        "fr": "le la les et est pas je vous une des dans pour que qui sur avec mon ma mes ne il au du ce cette nous"
        " bonjour merci cordialement suis été ai avez plus mais votre être j'ai n'ai c'est d'un depuis"
        " toujours encore comment pourquoi bien fait salut",
        "es": "el la los las y es no que en un una por para con mi mis se lo del al hola gracias saludos está estoy"
        " he ha pero como cuando su muy también favor buenos días tengo puedo quiero porque cómo desde aún"
        " todavía cuenta por",
        "pt": "o os as e é não que em um uma para com meu minha por se do da no na olá obrigado obrigada está estou"
        " foi mas como quando seu muito também favor bom dia tenho posso quero porque ainda você vocês conta"
        " fiz eu",
        "it": "il lo la gli le e è non che di un una per con mio mia sono ho ha si del della nel alla ciao grazie"
        " saluti buongiorno salve come quando ma più anche questo vorrei posso perché ancora stato vostro"
        " cordiali mi",
        "nl": "de het een en is niet ik je u van op voor met dat zijn mijn te er aan in heb heeft hallo bedankt"
        " dank groeten maar als ook nog wel kan geen hoe waarom deze naar bij wordt worden graag beste jullie",
        "pl": "i w nie na się że z do jest to jak mam mi moje moja moim proszę dziękuję dzień dobry witam"
        " pozdrawiam czy co ale po od dla ze już jeszcze mogę przez nadal konto ja",
        "tr": "ve bir bu için ile de da ne var yok mi mı ben benim hesabım merhaba teşekkürler teşekkür lütfen ama"
        " çok daha değil olarak nasıl neden hala selam rica ederim",
        "sv": "och att det är jag inte en ett som på med för av har min mitt hej tack vänligen hälsningar men hur"
        " varför kan om",
        "da": "og at det er jeg ikke en et som på med for af har min mit hej tak venlig hilsen men hvordan hvorfor"
        " kan om til",
        "cs": "a je se na v že to s do jsem mám prosím děkuji dobrý den nebo ale jak není mi můj moje jako už ještě",
        "ro": "și este nu de la în un o pe cu mai am sunt vă mulțumesc bună ziua pentru dar cum când contul meu că să",
        "id": "yang dan di saya tidak ini itu untuk dengan ada akun terima kasih mohon halo bisa sudah belum dari"
        " ke kami anda",
        "fi": "ja on ei en se että minun kiitos hei olen mutta miten miksi voi tämä terveisin ole tili kanssa",
    }.items()
}
_LANGUAGES_OF = {
    word: tuple(code for code, common in _COMMON.items() if word in common)
    for word in frozenset().union(*_COMMON.values())
}
_VIETNAMESE = frozenset("ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ")
_RUSSIAN = frozenset(
    ["и", "в", "не", "на", "что", "я", "с", "как", "это", "мне", "мой", "моя", "по", "за", "у", "но", "из", "день"]
)
_RUSSIAN_GREETINGS = frozenset(("здравствуйте", "спасибо", "привет", "пожалуйста"))
_SCRIPTS = (
    ("\u4e00", "\u9fff", "han"),
    ("\u3400", "\u4dbf", "han"),
    ("\u0370", "\u03ff", "el"),
    ("\u0590", "\u05ff", "he"),
    ("\u0600", "\u06ff", "ar"),
    ("\u0e00", "\u0e7f", "th"),
    ("\u0400", "\u04ff", "cyrillic"),
    ("\u3040", "\u30ff", "kana"),
    ("\u31f0", "\u31ff", "kana"),
    ("\u1100", "\u11ff", "ko"),
    ("\uac00", "\ud7a3", "ko"),
    ("\U00020000", "\U0003ffff", "han"),
)


def language(text: str) -> str:
    """The language of a text: "en", "zh-Hans", "zh-Hant", another ISO 639-1 code, or "" when unsure.

    Chinese without a character that only one form uses is called simplified, the form of most of our mail.
    """
    sample = text[: 2 * SAMPLE]
    sample = (_NOISE if "@" in sample else _NOISE_WITHOUT_ADDRESS).sub(" ", sample)[:SAMPLE]
    if sample.isascii():
        return _by_words(_WORD.findall(sample.lower()))
    scripts = _scripts(sample)
    words = _WORD.findall(sample.lower())
    latin = sum(1 for word in words if word[0] < "\u0250" or "\u1e00" <= word[0] <= "\u1eff")
    east_asian = scripts["han"] + scripts["kana"] + scripts["ko"]
    if east_asian >= 2 and east_asian / 1.6 >= 0.3 * latin:
        return _east_asian(sample, scripts)
    other = scripts.most_common(1)
    if other and other[0][0] not in ("han", "kana", "ko") and other[0][1] / 5 >= 0.5 * latin and other[0][1] >= 3:
        return _cyrillic(sample, words) if other[0][0] == "cyrillic" else _arabic(sample, other[0][0])
    if sum(map(_VIETNAMESE.__contains__, sample.lower())) >= max(2, latin * 0.25):
        return "vi"
    return _by_words(words)


def _scripts(sample: str) -> Counter[str]:
    """How many characters of each script that is not Latin."""
    counts: Counter[str] = Counter()
    for character, times in Counter(sample).items():
        if character >= "\u0370":
            script = next((name for low, high, name in _SCRIPTS if low <= character <= high), "")
            if script:
                counts[script] += times
    return counts


def _east_asian(sample: str, scripts: Counter[str]) -> str:
    """Kana say Japanese, Hangul says Korean, even beside many Han characters; else the form of the characters."""
    if scripts["kana"] >= 2 and scripts["kana"] >= 0.15 * (scripts["han"] + scripts["kana"]):
        return "ja"
    if scripts["ko"] > scripts["han"]:
        return "ko"
    if scripts["han"] < 2:
        return ""
    simplified = sum(map(ONLY_SIMPLIFIED.__contains__, sample))
    traditional = sum(map(ONLY_TRADITIONAL.__contains__, sample))
    return "zh-Hant" if traditional > simplified else "zh-Hans"


def _cyrillic(sample: str, words: list[str]) -> str:
    letters = Counter(sample.lower())
    if letters["і"] + letters["ї"] + letters["є"] >= 2 and not letters["ы"]:
        return "uk"
    if letters["ы"] + letters["э"] + letters["ё"] or not _RUSSIAN_GREETINGS.isdisjoint(words):
        return "ru"
    return "ru" if sum(1 for word in words if word in _RUSSIAN) >= 2 else ""


def _arabic(sample: str, script: str) -> str:
    if script == "ar" and sum(1 for c in sample if c in "پچژگ") >= 2:
        return "fa"
    return script


def _by_words(words: list[str]) -> str:
    """The language whose common words make up most of the text, if it leads clearly."""
    counts: Counter[str] = Counter()
    for word, times in Counter(words).items():
        for code in _LANGUAGES_OF.get(word.replace("’", "'"), ()):
            counts[code] += times
    (code, best), (_, second) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    if best == 0 or best < 0.12 * len(words):
        return ""
    if best == 1:
        return code if second == 0 and len(words) <= 4 else ""
    return code if best >= 1.25 * second else ""
