"""Which character set undeclared 8-bit bytes are in: UTF-8 where valid, else by how common the characters come out."""

from __future__ import annotations

from collections.abc import Callable

from mailticket.mail import japanese
from mailticket.text.patterns import lazy_pattern

_ODD_BLOCK = lazy_pattern("[\u0180-\u036f\u0460-\u058f\u0700-\u07ff]")
_HIGH = lazy_pattern(rb"[\x80-\xff]+")
_IN_WORD = lazy_pattern(
    rb"(?<=[A-Za-z])[\x80-\xff]{1,2}(?=[A-Za-z])|(?<=[A-Za-z])[\x80-\xff](?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff](?=[A-Za-z])"
)
_ASCII_WORDS = lazy_pattern(rb"[A-Za-z \r\n]+")
_SAMPLE = 8192
# The commonest characters of each written language, by which a right decoding is told from a wrong one.
_SIMPLIFIED = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种"
    "事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第"
    "公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合"
    "回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总"
    "何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听"
    "白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带"
    "导争运您好请谢帮密码账户号充值提现交易订单问题邮件客服登录验证测试附件联系收到回复尊敬先生女士转账币网"
)
_TRADITIONAL = frozenset(
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種"
    "事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第"
    "公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合"
    "回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總"
    "何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽"
    "您請謝幫密碼帳戶號充值提現交易訂單問題郵件客服登錄驗證測試附件聯繫收到回覆尊敬先生女士轉帳幣網"
)
_HANGUL_COMMON = frozenset(
    "이다는을의에가를고하은지로도기한사나어자시리서만안인정수들대일해그요니스라제전보습부내게있오문부드녕세합거면"
)
_KANJI_COMMON = frozenset(
    "日本人年月時分中大学生会社様者方見行来出入上下前後金木水火土東京先今何合名電話番号御願件田山川"
)
_CYRILLIC_RUN = lazy_pattern(r"[а-яё]{2,}")


def looks_utf8(data: bytes, *, declared_wide: bool) -> bool:
    """Whether 8-bit data are UTF-8 whatever was declared: valid, and not so by chance.

    declared_wide: a charset of two-byte characters was declared. A few of those are valid UTF-8 by accident, as
    two-byte sequences, so only three of the longer ones convince.
    """
    try:
        text = data.decode("utf_8")
    except UnicodeDecodeError:
        return False
    wide = [c for c in text[:_SAMPLE] if c > "\x7f"]
    if declared_wide:
        return len(wide) >= 3 and sum(c > "\u07ff" for c in wide) == len(wide)
    return len(wide) >= 4 or all(c.isalpha() or "\u2010" <= c <= "\u20ac" or c in "©®°«»¿¡´·" for c in wide)


def guess(data: bytes) -> str:
    """The codec in which 8-bit `data` read best. Cost is bounded: a sample decides."""
    sample = data[:_SAMPLE]
    valid = not _invalid_utf8(data)
    if valid and not _chance_utf8(sample):
        return "utf_8"
    first = _HIGH.search(data)
    if first and first.start() > _SAMPLE // 2:
        sample = data[first.start() : first.start() + _SAMPLE]
    scores = {codec: score(sample, codec) for codec in _SCORERS}
    best = max(scores, key=lambda codec: scores[codec])
    if scores[best] > (0.45 if valid else 0.7 if _in_words(sample) else 0.25):
        return best
    return "utf_8" if valid else _western(sample)


def _invalid_utf8(data: bytes) -> bool:
    """Not UTF-8, a character cut off at the very end excepted (limits cut where they must)."""
    try:
        data.decode("utf_8")
    except UnicodeDecodeError as broken:
        return not (broken.reason == "unexpected end of data" and broken.start >= len(data) - 3 and broken.start > 8)
    return False


def _chance_utf8(sample: bytes) -> bool:
    """A few two-byte characters of unrelated blocks: some GBK and Big5 words are valid UTF-8 by accident."""
    wide = [c for c in sample.decode("utf_8", "ignore") if c > "\x7f"]
    return len(wide) <= 8 and all(c < "\u0800" for c in wide) and any(_ODD_BLOCK.match(c) for c in wide)


def score(sample: bytes, codec: str) -> float:
    """0 to 1: how much of what is not ASCII comes out as common characters of the codec's languages."""
    try:
        text = _cut_off_safe(sample, codec)
    except UnicodeDecodeError:
        return 0.0
    wide = [c for c in text if c > "\x7f"]
    return _SCORERS[codec](wide, text) if wide else 0.0


def _cut_off_safe(sample: bytes, codec: str) -> str:
    if codec == "euc_jp":
        text = japanese.decode_euc(sample)
        if "\ufffd" not in text[:-1]:
            return text.removesuffix("\ufffd")
    try:
        return sample.decode(codec)
    except UnicodeDecodeError as broken:
        if broken.start >= len(sample) - 4 and len(sample) > 16:
            return sample[: broken.start].decode(codec)
        raise


def _chinese(common: frozenset[str]) -> Callable[[list[str], str], float]:
    def rate(wide: list[str], _text: str) -> float:
        return sum(c in common or c in "，。！？：；、（）《》“”　" for c in wide) / len(wide)

    return rate


def _japanese(wide: list[str], _text: str) -> float:
    kana = sum("\u3040" <= c <= "\u30fe" for c in wide)
    half = sum("\uff61" <= c <= "\uff9f" for c in wide)
    kanji = sum(c in _KANJI_COMMON or c in "、。「」ー" for c in wide)
    return max(0.0, (kana + kanji - 2 * half) / len(wide))


def _korean(wide: list[str], _text: str) -> float:
    hangul = sum("\uac00" <= c <= "\ud7a3" for c in wide) / len(wide)
    common = sum(c in _HANGUL_COMMON for c in wide) / len(wide)
    return hangul * min(1.0, 2.2 * common)


def _cyrillic(wide: list[str], text: str) -> float:
    """Words are mostly lower case: KOI8-R and Windows-1251 read as each other come out with the cases exchanged."""
    if sum(c in "оеаинтсрвл" for c in wide) * 4 < len(wide):
        return 0.0
    return sum(len(run) for run in _CYRILLIC_RUN.findall(text)) / len(wide)


_SCORERS: dict[str, Callable[[list[str], str], float]] = {
    "gb18030": _chinese(_SIMPLIFIED),
    "big5hkscs": _chinese(_TRADITIONAL),
    "cp932": _japanese,
    "euc_jp": _japanese,
    "cp949": _korean,
    "koi8_r": _cyrillic,
    "cp1251": _cyrillic,
    "cp866": _cyrillic,
}


def _in_words(sample: bytes) -> bool:
    """Whether the high bytes stand singly beside ASCII letters, or in pairs between them, in text mostly of such."""
    runs = [len(run) for run in _HIGH.findall(sample)]
    if max(runs, default=9) > 3 or sum(map(len, _ASCII_WORDS.findall(sample))) * 10 < len(sample) * 6:
        return False
    return len(_IN_WORD.findall(sample)) * 10 >= len(runs) * 6


def _western(sample: bytes) -> str:
    """Isolated high bytes among ASCII letters are Windows-1252; runs of them are Chinese without a common word."""
    if _in_words(sample):
        return "cp1252"
    runs = [len(run) for run in _HIGH.findall(sample)]
    if runs and sum(length for length in runs if length >= 2) * 2 > sum(runs) and sum(runs) >= 4:
        try:
            _cut_off_safe(sample, "gb18030")
        except UnicodeDecodeError:
            return "cp1252"
        return "gb18030"
    return "cp1252"
