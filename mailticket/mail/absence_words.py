"""Automatic answers and absence notes in the forty languages in which mail programs ship them, as plain word stems.

Everything here is compared folded (see `fold`): programs and gateways drop accents, and so does whoever writes without
them. A formula stands at the beginning of a subject; a stem stands anywhere in the first sentences.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mailticket.text.patterns import lazy_pattern

# Combining marks and vowel points of our languages' scripts, joiners, marks of direction, soft hyphens.
_MARKS = lazy_pattern(
    "[\u00ad\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0902\u093c\u0941-\u0948\u094d"
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u200b-\u200f\u202a-\u202e\u2060-\u2069\u3099\u309a\ufeff]+"
)
_UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ß": "ss", "æ": "ae", "ð": "d", "’": "'"})


def fold(text: str) -> str:
    """Lower case without accents, vowel points and invisible marks; white space as single blanks."""
    if text.isascii():
        return " ".join(text.lower().split())
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text.lower()))
    return " ".join(bare.translate(_UNDECOMPOSED).split())


@dataclass(frozen=True, slots=True)
class _Language:
    """reply: what a program puts before the subject. away: what it puts there for an absence, and people too.
    absent: says of the writer that he is away. back: when he returns, whom else to ask.
    matter: what somebody writes about who wants something."""

    reply: str
    away: str
    absent: str
    back: str
    matter: str


_LANGUAGES: dict[str, _Language] = {
    "en": _Language(
        "automatic reply|auto reply|autoreply|auto-reply|automated reply|automatic response",
        "out of office|out of the office|out-of-office|away from the office|on leave|annual leave",
        "i am out of office|i am out of the office|i'm out of the office|i'm out of office"
        "|currently out of office|currently out of the office|will be out of office|will be out of the office"
        "|i am on leave|i am on annual leave|i am currently away|away from my desk|away from the office"
        "|i am on vacation|i am on holiday|i'm on vacation|i'm on holiday|i'm on leave|currently on leave"
        "|i am not in the office|out of office until|out of the office until",
        "back on|be back|return on|returning|upon my return|when i return|in my absence|until|urgent"
        "|limited access|as soon as i",
        "",
    ),
    "de": _Language(
        "automatische antwort|automatische ruckantwort|automatische ruckmeldung|automatische abwesenheitsnotiz",
        "abwesenheitsnotiz|abwesenheitsmeldung|abwesenheit|ausser haus|nicht im buro|nicht am arbeitsplatz"
        "|im urlaub",
        "nicht im buro|ich bin im urlaub|bin im urlaub|ich bin abwesend|bin abwesend|nicht am arbeitsplatz"
        "|bin ich im urlaub|ausser haus|nicht erreichbar|nicht im hause|bin ich abwesend",
        "wieder erreichbar|wieder im|wieder da|zuruck|bis zum|ab dem|dringend|vertretung|nach meiner ruckkehr"
        "|wenden sie",
        "mein konto|meine auszahlung|meine einzahlung|mein geld|mein passwort|meinem konto|mein wallet"
        "|mein telefon|bitte sperren|kann ich|konnen sie|brauche ich|ich brauche",
    ),
    "fr": _Language(
        "reponse automatique|reponse automatisee|reponse auto",
        "absence du bureau|absent du bureau|absente du bureau|message d'absence|notification d'absence"
        "|hors du bureau|en conges|en vacances",
        "je suis absent|je suis actuellement absent|je suis en conge|je suis actuellement en conge"
        "|je suis en vacances|je serai absent|hors du bureau|absent du bureau|absente du bureau"
        "|je suis en deplacement",
        "de retour|mon retour|jusqu'au|a partir du|en cas d'urgence|pour toute urgence|mon absence|contacter",
        "mon compte|mon retrait|mon depot|mon argent|mot de passe|pouvez-vous|j'ai besoin|mon portefeuille"
        "|telephone",
    ),
    "es": _Language(
        "respuesta automatica|contestacion automatica|autorrespuesta",
        "fuera de la oficina|fuera de oficina|mensaje de ausencia|ausente|de vacaciones",
        "me encuentro fuera de|estoy de vacaciones|estoy ausente|fuera de la oficina|fuera de oficina"
        "|me encuentro de vacaciones|estare ausente",
        "regreso|vuelvo|volvere|de vuelta|hasta el|a partir del|urgente|urgencia|mi ausencia|a la vuelta",
        "mi cuenta|mi retiro|mi deposito|mi dinero|contrasena|puede usted|podria|necesito|mi telefono|mi movil",
    ),
    "pt": _Language(
        "resposta automatica|resposta auto",
        "fora do escritorio|ausencia do escritorio|ausencia temporaria|fora do escr|mensagem de ausencia"
        "|de ferias",
        "estou de ferias|estou ausente|estarei ausente|encontro-me ausente|fora do escritorio"
        "|encontro-me de ferias",
        "regresso|retorno|volto|voltarei|estarei de volta|ate dia|ate o dia|ate ao dia|a partir de|urgente"
        "|urgencia|minha ausencia|ate",
        "minha conta|meu saque|meu deposito|meu dinheiro|minha senha|voce pode|podem|preciso|meu telefone"
        "|telemovel",
    ),
    "it": _Language(
        "risposta automatica|risposta automatizzata|risponditore automatico",
        "fuori sede|fuori ufficio|messaggio di assenza|assente|assenza|in ferie",
        "sono assente|sono in ferie|saro assente|fuori ufficio|fuori sede|saro in ferie",
        "rientro|ritorno|tornero|di nuovo in ufficio|fino al|dal giorno|urgenze|urgente|mia assenza|rientrero",
        "mio conto|mio prelievo|mio deposito|miei soldi|mia password|potete|puo aiutarmi|ho bisogno|mio telefono",
    ),
    "nl": _Language(
        "automatisch antwoord|automatische beantwoording|automatisch bericht|automatische reactie",
        "afwezigheidsbericht|afwezigheidsmelding|afwezigheid|afwezig|niet op kantoor|niet aanwezig|buiten kantoor"
        "|op vakantie",
        "ik ben afwezig|momenteel afwezig|niet op kantoor|ik ben op vakantie|ik ben met vakantie|ben ik afwezig"
        "|buiten kantoor|ben ik met verlof|ik ben met verlof|ben ik op vakantie",
        "weer aanwezig|terug|tot en met|vanaf|dringend|spoed|mijn afwezigheid|mijn terugkeer|contact opnemen",
        "mijn account|mijn rekening|mijn opname|mijn storting|mijn geld|wachtwoord|kunt u|kan je|ik heb nodig"
        "|mijn telefoon",
    ),
    "pl": _Language(
        "odpowiedz automatyczna|automatyczna odpowiedz|autoodpowiedz",
        "nieobecnosc w biurze|nieobecnosc|poza biurem|jestem nieobecny|jestem nieobecna|na urlopie",
        "jestem nieobecn|jestem na urlopie|jestem poza biurem|bede nieobecn|przebywam na urlopie|przebywam poza"
        "|poza biurem|bede poza|bede na urlopie",
        "wracam|wroce|powrocie|powrotu|do dnia|od dnia|pilnych|pilne|mojej nieobecnosci|bede dostepn|z powrotem",
        "moje konto|moim koncie|moja wyplat|moja wplat|moje pieniadze|haslo|czy moze|prosze o pomoc|potrzebuje"
        "|moj telefon|zablokowan",
    ),
    "cs": _Language(
        "automaticka odpoved|automaticka zprava",
        "mimo kancelar|nepritomnost|nepritomen|nepritomna|jsem mimo|dovolena|na dovolene",
        "jsem mimo kancelar|jsem na dovolene|nejsem v kancelari|nejsem pritom|budu mimo|budu na dovolene"
        "|jsem nepritom|mimo kancelar|nebudu v kancelari",
        "vratim se|budu zpet|zpet|navratu|od pondeli|nalehav|urgentn|me nepritomnosti|obratte se|kontaktujte|do ",
        "muj ucet|mem uctu|muj vyber|muj vklad|moje penize|heslo|muzete|potrebuji|zablokovan|muj telefon",
    ),
    "sk": _Language(
        "automaticka odpoved|automaticka sprava",
        "mimo kancelarie|nepritomnost|nepritomny|nepritomna|dovolenka|na dovolenke",
        "som mimo kancelarie|som na dovolenke|nie som v kancelarii|budem mimo|budem na dovolenke|som nepritom"
        "|mimo kancelarie|nebudem v kancelarii",
        "vratim sa|budem spat|spat|navrate|od pondelka|nalieha|surn|mojej nepritomnosti|obratte sa|kontaktujte"
        "|do ",
        "moj ucet|mojom ucte|moj vyber|moj vklad|moje peniaze|heslo|mozete|potrebujem|zablokovan|moj telefon",
    ),
    "hu": _Language(
        "automatikus valasz|automatikus uzenet",
        "hazon kivul|irodan kivul|tavolleti ertesites|tavollet|tavol vagyok|szabadsag|szabadsagon",
        "hazon kivul vagyok|irodan kivul vagyok|tavol vagyok|szabadsagon vagyok|nem vagyok az irodaban"
        "|tavol leszek|szabadsagon leszek|nem tartozkodom|irodan kivul|hazon kivul|tavolletem",
        "vissza|visszater|-ig |-tol|-ig.|surgos|tavolletem|keresse|forduljon|utan",
        "szamlam|penzem|jelszo|kifizetes|befizetes|segitsen|tudna|szuksegem|zarolt|telefonom",
    ),
    "ro": _Language(
        "raspuns automat|mesaj automat",
        "in afara biroului|absent din birou|absenta din birou|plecat din birou|absenta|in concediu",
        "sunt plecat|nu sunt la birou|sunt in concediu|sunt absent|in afara biroului|voi fi plecat"
        "|voi fi in concediu|voi lipsi|voi fi absent|nu sunt in birou",
        "revin|voi reveni|ma intorc|inapoi|pana la|pana pe|pana in|incepand|urgent|absenta mea|contactati",
        "contul meu|banii mei|parola|retragere|depunere|puteti sa|va rog sa ma ajut|am nevoie|blocat"
        "|telefonul meu",
    ),
    "bg": _Language(
        "автоматичен отговор|автоматично съобщение",
        "извън офиса|отсъствие от офиса|отсъствие|отсъствам|в отпуск",
        "извън офиса|в отпуск съм|отсъствам|не съм в офиса|съм в отпуск|ще отсъствам|ще бъда извън"
        "|ще бъда в отпуск",
        "ще се върна|връщам|обратно|до |от понеделник|спешн|отсъствие|свържете",
        "моята сметка|моя акаунт|акаунта ми|сметката ми|парола|парите|теглене|депозит|можете ли|помогнете"
        "|трябва ми",
    ),
    "ru": _Language(
        "автоматический ответ|автоответ|автоматическое сообщение|автоматическое уведомление",
        "нет на рабочем месте|нет на месте|вне офиса|отсутствую|отсутствие|в отпуске|сообщение об отсутствии",
        "нахожусь в отпуске|я в отпуске|вне офиса|отсутствую|меня нет в офисе|буду отсутствовать|не в офисе"
        "|буду в отпуске|нет на рабочем месте|нет на месте",
        "вернусь|возвращ|выйду|буду на работе|снова|по ,|до |с понедельника|срочн|отсутстви|обращайтесь|свяжитесь",
        "мой счет|моего счета|мой аккаунт|аккаунт|пароль|деньги|вывод|депозит|можете ли|помогите|мне нужн"
        "|заблокир",
    ),
    "uk": _Language(
        "автоматична відповідь|автовідповідь|автоматичне повідомлення",
        "поза офісом|немає на місці|відсутність|відсутній|відсутня|у відпустці",
        "поза офісом|я у відпустці|перебуваю у відпустці|я відсутн|мене немає в офісі|буду відсутн|не в офісі"
        "|буду у відпустці|немає на місці",
        "повернусь|поверну|знову|до |з понеділка|термінов|відсутност|звертайтесь|зверніться|зв'яжіться",
        "мій рахунок|мого рахунку|акаунт|обліков|пароль|гроші|виведення|депозит|допоможіть|можете|мені потрібн"
        "|заблок",
    ),
    "sr": _Language(
        "аутоматски одговор|automatski odgovor",
        "ван канцеларије|одсутан|одсутна|одсуство|van kancelarije|odsutan|odsutna|odsustvo|na godisnjem odmoru",
        "нисам у канцеларији|ван канцеларије|на одмору сам|на годишњем одмору|одсутан сам|одсутна сам|бићу одсут"
        "|nisam u kancelariji|van kancelarije|na godisnjem odmoru|odsutan sam|odsutna sam|bicu odsut",
        "враћам|вратићу|поново|до |од понедељка|хитн|одсуств|обратите|vracam|vraticu|ponovo|hitn|odsustv|obratite"
        "|do ",
        "мој налог|мом налогу|мој рачун|лозинк|новац|исплат|уплат|можете ли|помозите|потребно ми|moj nalog"
        "|moj racun|lozink|novac|isplat|uplat|mozete li|pomozite|potrebno mi|treba mi",
    ),
    "hr": _Language(
        "automatski odgovor|automatska poruka",
        "izvan ureda|nisam u uredu|odsutnost|odsutan|odsutna|na godisnjem odmoru",
        "nisam u uredu|izvan ureda|odsutan sam|odsutna sam|na godisnjem odmoru|na godisnjem sam|bit cu odsut"
        "|nalazim se izvan",
        "vracam|vratit cu|ponovno|natrag|od ponedjeljka|hitn|odsutnosti|obratite|javite|do ",
        "moj racun|mojem racunu|lozink|novac|isplat|uplat|mozete li|pomozite|trebam|treba mi|blokiran",
    ),
    "sl": _Language(
        "samodejni odgovor|avtomatski odgovor|samodejno sporocilo",
        "odsotnost|odsoten|odsotna|izven pisarne|zunaj pisarne|nisem v pisarni|na dopustu",
        "nisem v pisarni|odsoten sem|odsotna sem|sem odsot|na dopustu|izven pisarne|zunaj pisarne|bom odsot"
        "|bom na dopustu",
        "vrnem|vrnil|vrnila|nazaj|spet|od ponedeljka|nujn|odsotnosti|obrnite|dosegljiv|do ",
        "moj racun|mojem racunu|geslo|denar|dvig|polog|lahko mi|pomagajte|potrebujem|blokiran|zaklenjen",
    ),
    "lt": _Language(
        "automatinis atsakymas|automatinis pranesimas",
        "ne biure|nesu biure|isvykes|isvykusi|nebuvimas biure|atostogauju|atostogose",
        "nesu biure|ne biure|atostogauju|esu atostogose|busiu isvyk|esu isvyk|nebusiu biure",
        "grisiu|grizt|grizes|grizusi|iki |nuo |skubi|skubos|kreipkites|susisiek",
        "mano saskait|mano paskyr|slaptazod|pinig|isemim|indel|ar galite|padekite|reikia|uzblokuot",
    ),
    "lv": _Language(
        "automatiska atbilde|automatisks zinojums|automatiska zina",
        "arpus biroja|prombutne|neesmu biroja|esmu prombutne|atvalinajuma",
        "neesmu biroja|arpus biroja|esmu prombutne|esmu atvalinajuma|nebusu biroja|atrodos atvalinajuma"
        "|busu atvalinajuma|busu prombutne",
        "atgriez|lidz |no pirmdienas|steidzam|prombutne|sazinieties|versieties|busu atpakal",
        "mans konts|manu kontu|mana konta|parol|naud|iznems|iemaks|vai varat|palidziet|man vajag|blokets",
    ),
    "et": _Language(
        "automaatvastus|automaatne vastus|automaatne teade",
        "kontorist valjas|kontorist eemal|eemalolek|eemal|puhkusel|olen puhkusel",
        "olen puhkusel|kontorist eemal|kontorist valjas|olen eemal|viibin puhkusel|viibin eemal|ei ole kontoris"
        "|ma ei viibi",
        "tagasi|naasen|kuni|alates|kiire|poorduge|votke uhendust|eemaloleku",
        "minu konto|minu raha|parool|valjamakse|sissemakse|kas saate|palun aidake|vajan|blokeeritud",
    ),
    "fi": _Language(
        "automaattinen vastaus|automaattivastaus|automaattinen poissaoloilmoitus",
        "poissa toimistosta|poissaoloviesti|poissaolo|poissaoloilmoitus|poissa|lomalla",
        "poissa toimistosta|olen lomalla|olen poissa|en ole toimistolla|en ole paikalla|olen vuosilomalla"
        "|jaan lomalle|olen matkoilla|olen tavoitettavissa jalleen",
        "palaan|takaisin|asti|saakka|alkaen|kiireel|poissaolo|ottakaa yhteytta|ota yhteytta|tavoitettavissa",
        "tilini|rahani|salasana|nosto|talletu|voitteko|auttakaa|tarvitsen|lukittu|puhelimeni",
    ),
    "sv": _Language(
        "autosvar|automatiskt svar|automatsvar|automatiskt meddelande",
        "franvaro|franvarande|ej pa kontoret|inte pa kontoret|franvaromeddelande|pa semester|semester",
        "jag ar inte pa kontoret|jag ar pa semester|jag har semester|jag ar franvarande|jag ar ledig|jag ar borta"
        "|ej pa kontoret|jag ar bortrest|jag ar inte pa plats",
        "tillbaka|ater|till och med|t.o.m|fran och med|bradska|akut|franvaro|kontakta|till den",
        "mitt konto|mina pengar|losenord|uttag|insattning|kan ni|kan du|hjalp mig|jag behover|last|min telefon",
    ),
    "no": _Language(
        "automatisk svar|autosvar|automatisk melding",
        "fravaersmelding|fravaer|fravaerende|ikke pa kontoret|borte fra kontoret|ute av kontoret|pa ferie",
        "jeg er ikke pa kontoret|jeg er pa ferie|jeg har ferie|jeg er fravaerende|jeg er borte|ikke pa kontoret"
        "|jeg er bortreist|ute av kontoret|jeg er ikke til stede|jeg avvikler ferie",
        "tilbake|frem til|fra og med|til og med|haster|hastesaker|fravaer|kontakt|til den",
        "min konto|kontoen min|pengene mine|passord|uttak|innskudd|kan dere|kan du|hjelp meg|jeg trenger|last"
        "|telefonen min",
    ),
    "da": _Language(
        "automatisk svar|autosvar|automatisk besked|automatisk meddelelse",
        "fravaersmeddelelse|fravaersbesked|fravaer|fravaerende|ikke pa kontoret|ikke til stede|ude af kontoret"
        "|pa ferie",
        "jeg er ikke pa kontoret|jeg er pa ferie|jeg holder ferie|jeg er fravaerende|jeg er ikke til stede"
        "|ikke pa kontoret|jeg er ude af kontoret|jeg er bortrejst|jeg har ferie",
        "tilbage|indtil|frem til|fra og med|til og med|haster|akut|fravaer|kontakt|til den",
        "min konto|mine penge|adgangskode|kodeord|udbetaling|indbetaling|kan i|kan du|hjaelp mig|jeg har brug"
        "|last|min telefon",
    ),
    "is": _Language(
        "sjalfvirkt svar|sjalfvirk svorun",
        "fjarverandi|fjarvera|ekki a skrifstofunni|ekki vid|i frii|er i frii",
        "eg er ekki vid|eg er fjarverandi|eg er i frii|eg er i sumarfrii|ekki a skrifstofunni|eg verd fjarverandi"
        "|eg verd i frii|eg er i leyfi",
        "aftur|til baka|fram til|til og med|brynt|aridandi|fjarveru|hafid samband|kem ",
        "reikning|peninga|lykilord|uttekt|innlogn|getid þid|hjalp|eg þarf|laest",
    ),
    "el": _Language(
        "αυτοματη απαντηση|αυτοματο μηνυμα|αυτοματοποιημενη απαντηση",
        "εκτος γραφειου|απουσια από το γραφειο|απουσια απο το γραφειο|απουσια|σε αδεια",
        "ειμαι εκτος γραφειου|εκτος γραφειου|απουσιαζω|βρισκομαι σε αδεια|ειμαι σε αδεια|θα απουσιαζω|λειπω"
        "|θα λειπω",
        "επιστρ|πισω|μεχρι|εως|απο τις|επειγ|απουσια|επικοινωνη|θα ειμαι",
        "λογαριασμο|χρηματα|κωδικο|αναληψη|καταθεση|μπορειτε να με|βοηθηστε|χρειαζομαι|κλειδωμεν",
    ),
    "tr": _Language(
        "otomatik yanit|otomatik cevap|otomatik mesaj",
        "ofis disinda|is yeri disinda|isyeri disinda|ofis disi|izinde|yillik izin",
        "ofis disinda|ofiste degilim|izindeyim|yillik izinde|yillik izinli|isyeri disinda|izinli olacagim"
        "|tatildeyim|ofiste olmayacagim|disarida olacagim",
        "donecegim|donus|geri|kadar|itibaren|acil|yoklugum|iletisime|dondugumde",
        "hesabim|param|sifre|cekim|para yatir|yardim edin|ihtiyacim|bloke|kilitlen|telefonum|misiniz",
    ),
    "ar": _Language(
        "رد تلقائي|الرد التلقائي|رد آلي",
        "خارج المكتب|في إجازة|غائب عن المكتب|إشعار غياب",
        "خارج المكتب|أنا في إجازة|في إجازة|لست في المكتب|سأكون خارج|غائب عن|أنا حاليا خارج|خارج مكتبي",
        "سأعود|العودة|أعود|عودتي|حتى|اعتبارا|عاجل|طارئة|غيابي|الاتصال|التواصل",
        "حسابي|أموالي|كلمة المرور|كلمة السر|السحب|سحب|إيداع|ساعدوني|مساعدتي|أحتاج|هاتفي|محفظت",
    ),
    "he": _Language(
        "תשובה אוטומטית|מענה אוטומטי|הודעה אוטומטית",
        "מחוץ למשרד|לא במשרד|הודעת היעדרות|בחופשה|היעדרות",
        "אני מחוץ למשרד|מחוץ למשרד|אני בחופשה|איני במשרד|אינני במשרד|לא אהיה במשרד|אני לא במשרד|אהיה בחופשה"
        "|נמצא בחופשה|נמצאת בחופשה",
        "אחזור|חוזר|אשוב|שובי|עד |החל מ|דחוף|דחופים|היעדרותי|לפנות|ליצור קשר",
        "החשבון שלי|חשבוני|הכסף|סיסמ|משיכה|הפקדה|תוכלו|עזרו|אני צריך|אני צריכה|נעול|הטלפון שלי",
    ),
    "fa": _Language(
        "پاسخ خودکار|پاسخ اتوماتیک|جواب خودکار",
        "خارج از دفتر|خارج از محل کار|در مرخصی|عدم حضور",
        "خارج از دفتر|در مرخصی|در دفتر نیستم|خارج از محل کار|حضور ندارم|در محل کار نیستم|مرخصی هستم|در سفر هستم",
        "باز می|برمی|بازگشت|تا تاریخ|تا روز|از تاریخ|فوری|ضروری|غیاب|تماس بگیرید|تا ",
        "حساب من|حسابم|پول|رمز عبور|برداشت|واریز|کمک کنید|نیاز دارم|می توانید|کیف پول|گوشی",
    ),
    "hi": _Language(
        "स्वचालित उत्तर|स्वचालित जवाब|स्वतः उत्तर|ऑटो रिप्लाई",
        "कार्यालय से बाहर|ऑफिस से बाहर|अवकाश पर|छुट्टी पर",
        "कार्यालय से बाहर|ऑफिस से बाहर|अवकाश पर|छुट्टी पर|कार्यालय में नहीं|ऑफिस में नहीं"
        "|कार्यालय में उपस्थित नहीं",
        "वापस|लौट|तक|से उपलब्ध|तत्काल|आवश्यक|अनुपस्थिति|संपर्क|जरूरी",
        "मेरा खाता|मेरे खाते|पैसा|पैसे|पासवर्ड|निकासी|जमा|मदद|चाहिए|लॉक|फोन खो",
    ),
    "th": _Language(
        "ตอบกลับอัตโนมัติ|การตอบกลับอัตโนมัติ|ข้อความตอบกลับอัตโนมัติ|คำตอบอัตโนมัติ|การตอบอัตโนมัติ",
        "ไม่อยู่ที่สำนักงาน|ไม่อยู่ที่ทำงาน|ไม่อยู่สำนักงาน|ลาพักร้อน|ลาหยุด",
        "ไม่อยู่ที่สำนักงาน|ไม่อยู่ที่ทำงาน|ไม่อยู่สำนักงาน|ลาพักร้อน|ลาหยุด|ไม่ได้อยู่ที่สำนักงาน"
        "|อยู่นอกสำนักงาน|ไม่ได้อยู่ในออฟฟิศ|ไม่อยู่ออฟฟิศ|ลาพักผ่อน",
        "จะกลับ|กลับมา|จนถึง|ถึงวันที่|ตั้งแต่|เร่งด่วน|ด่วน|ติดต่อ|ระหว่างที่",
        "บัญชีของ|เงิน|รหัสผ่าน|ถอน|ฝาก|ช่วยด้วย|ช่วยผม|ช่วยฉัน|ต้องการ|ถูกล็อก",
    ),
    "vi": _Language(
        "tra loi tu dong|thu tra loi tu dong|phan hoi tu dong|tu dong tra loi",
        "vang mat|ngoai van phong|khong co mat tai van phong|nghi phep|dang nghi phep",
        "toi dang nghi|toi hien dang nghi|khong co mat tai van phong|ngoai van phong|toi vang mat|toi se vang mat"
        "|toi dang di cong tac|toi se nghi|toi di vang|toi khong co mat",
        "tro lai|quay lai|den ngay|den het|tu ngay|khan cap|khan|lien he|vang mat|cho den",
        "tai khoan|tien cua|mat khau|rut tien|nap tien|giup toi|toi can|bi khoa|vi cua",
    ),
    "id": _Language(
        "balasan otomatis|jawaban otomatis|pesan otomatis",
        "di luar kantor|tidak di kantor|sedang cuti|luar kantor|cuti",
        "saya sedang cuti|di luar kantor|saya tidak di kantor|tidak berada di kantor|saya sedang tidak|saya cuti"
        "|saya akan cuti|sedang dinas luar|saya sedang berlibur",
        "kembali|sampai|hingga|mulai tanggal|mendesak|darurat|penting|hubungi|selama saya",
        "akun saya|uang saya|kata sandi|penarikan|setoran|bantu saya|tolong bantu|butuh|terkunci|dompet",
    ),
    "ms": _Language(
        "balasan automatik|jawapan automatik|mesej automatik",
        "luar pejabat|di luar pejabat|tidak berada di pejabat|bercuti|cuti",
        "luar pejabat|saya sedang bercuti|tidak berada di pejabat|saya bercuti|saya tiada di pejabat"
        "|saya akan bercuti|sedang bercuti|berada di luar",
        "kembali|sehingga|hingga|mulai|segera|kecemasan|penting|hubungi|ketiadaan|semasa saya",
        "akaun saya|wang saya|kata laluan|pengeluaran|deposit|bantu saya|tolong bantu|perlukan|dikunci|dompet",
    ),
    "ja": _Language(
        "自動応答|自動返信|自動回答|不在応答",
        "不在通知|不在のお知らせ|不在のため|外出中|休暇中|不在",
        "不在にしております|不在にして|休暇をいただいて|休暇を頂いて|休暇中|外出して|出張して|出張中|不在となり|不在です|お休みをいただ|休業",
        "戻り|まで|以降|急ぎ|緊急|不在中|ご連絡|改めて|折り返し",
        "口座|出金|入金|パスワード|ログイン|教えてください|助けて|お願いできます|アカウント|困って",
    ),
    "ko": _Language(
        "자동 회신|자동회신|자동 응답|자동응답|자동 답장",
        "부재중|부재 중|휴가 중|휴가중|외출 중|출장 중",
        "부재중|부재 중|휴가 중|휴가중|출장 중|출장중|자리를 비|사무실에 없|휴가입니다|휴가를",
        "복귀|돌아|까지|이후|부터|긴급|급한|연락|문의",
        "계정|출금|입금|비밀번호|로그인|도와|잠겼|지갑",
    ),
    "zh-Hans": _Language(
        "自动答复|自动回复|自动应答|自动回信",
        "外出|休假|不在办公室|假期|离开办公室|休假通知|外出通知",
        "不在办公室|休假中|正在休假|我在休假|外出中|离开办公室|出差中|正在出差|年假|休假期间|外出期间",
        "回来|返回|返岗|恢复上班|为止|直到|紧急|急事|尽快回复|期间|稍后|联系",
        "账户|账号|帐户|帐号|提现|充值|密码|到账|订单|验证码|被盗|冻结|帮我|帮忙|怎么|什么时候|我要|我想|请问",
    ),
    "zh-Hant": _Language(
        "自動回覆|自動答覆|自動回應|自動回信",
        "外出|休假|不在辦公室|離開辦公室|請假|休假通知|外出通知",
        "不在辦公室|休假中|正在休假|我在休假|外出中|離開辦公室|出差中|正在出差|年假|休假期間|請假中|請假期間",
        "回來|返回|恢復上班|為止|直到|緊急|急事|儘快回覆|盡快回覆|期間|稍後|聯絡|聯繫",
        "賬戶|賬號|帳戶|帳號|提現|充值|密碼|到賬|訂單|驗證碼|被盜|凍結|幫我|幫忙|怎麼|什麼時候|我要|我想|請問",
    ),
    "ca": _Language(
        "resposta automatica|missatge automatic",
        "fora de l'oficina|absencia|absent|de vacances",
        "estic de vacances|fora de l'oficina|estare absent|estic absent|soc absent",
        "tornar|torno|de nou|fins al|fins el|a partir del|urgent|urgencia|absencia|contact",
        "el meu compte|els meus diners|contrasenya|retirada|diposit|em podeu|podeu ajudar|necessito|bloquej"
        "|el meu telefon",
    ),
    "eu": _Language(
        "erantzun automatikoa|mezu automatikoa",
        "bulegotik kanpo|kanpoan|oporretan",
        "bulegotik kanpo|oporretan nago|ez nago bulegoan|kanpoan nago|oporretan egongo|kanpoan egongo"
        "|ez naiz bulegoan",
        "itzuliko|itzuli|bueltan|arte|aurrera|premiazko|presazko|urgente|jarri harremanetan|kanpoan nagoen",
        "nire kontu|dirua|pasahitza|laguntza behar|lagundu|behar dut|blokeatu",
    ),
    "gl": _Language(
        "resposta automatica|mensaxe automatica",
        "fora da oficina|ausencia|ausente|de vacacions",
        "atopome fora|estou de vacacions|estou ausente|fora da oficina|estarei de vacacions",
        "volverei|volvo|regreso|de volta|ata o|a partir do|urxente|urxencia|ausencia|contact",
        "mina conta|meu retiro|meu diñeiro|contrasinal|deposito|poden|axud|necesito|bloque|meu telefono",
    ),
}  # fmt: skip


def _stems(kind: str) -> tuple[str, ...]:
    every = "|".join(getattr(language, kind) for language in _LANGUAGES.values())
    return tuple(dict.fromkeys(fold(stem) + (" " if stem.endswith(" ") else "") for stem in every.split("|") if stem))


def _formula(kinds: tuple[str, ...], end: str) -> re.Pattern[str]:
    longest_first = sorted({stem.strip() for kind in kinds for stem in _stems(kind)}, key=len, reverse=True)
    return lazy_pattern(rf"[\[(【（<]?\s?(?:{'|'.join(map(re.escape, longest_first))})(?:{end})")


_REPLY = _formula(("reply",), r"\s?[:\])】）–-]|$")
_AWAY = _formula(("away",), r"\s?[:\])】）]|\s[–-]\s|$")
_ABSENT = _stems("absent")
_THANKS = tuple(map(fold, (
    "thank", "dank", "merci", "gracias", "obrigad", "agrade", "grazie", "dzięk", "otrzyma", "děkuj", "ďakuj",
    "vďaka", "köszön", "mulțum", "mulţum", "благодар", "спасибо", "дяку", "хвала", "hvala", "zahvalj", "ačiū",
    "dėkoj", "paldies",
    "pateic", "tänan", "täname", "aitäh", "kiitos", "kiitän", "tack", "takk", "tak for",
    "þakka", "ευχαριστ", "teşekkür", "شكر", "תודה", "تشکر", "سپاس", "ممنون", "متشکر", "धन्यवाद", "शुक्रिया",
    "ขอบคุณ", "cảm ơn", "cám ơn", "terima kasih", "ありがとう", "감사", "感谢", "谢谢", "感謝", "謝謝", "已收到",
    "gràcies", "agraeixo", "eskerrik", "mila esker", "grazas",
)))  # fmt: skip
_SPEECHES = tuple(
    tuple(tuple(fold(stem) + " " * stem.endswith(" ") for stem in stems.split("|") if stem)
          for stems in (language.absent, language.back, language.matter))
    for language in _LANGUAGES.values()
)  # fmt: skip
_DATE = lazy_pattern(r"\d{1,2}\s?[./:月일-]|\b\d{1,2}(?:st|nd|rd|th)?\b|[٠-٩۰-۹०-९]{1,2}")
_FIRST_WORDS = 300  # characters in which an absence must stand
_LONGEST, _LONGEST_UNASKED = 1500, 600  # characters of a note; of one that shows no sign of answering anything
_ASKS = lazy_pattern("[?？؟]")


def reply_subject(subject: str) -> str:
    """The formula of an automatic answer with which a subject begins; "" without one."""
    match = _REPLY.match(fold(subject[:200]))
    return match.group().strip() if match else ""


def absence_subject(subject: str) -> tuple[str, bool]:
    """The formula of an absence with which a subject begins, and whether it calls itself an automatic answer too.

    People write "Out of office" as well; nobody but a program writes "Out of office - automatic reply: ...".
    """
    folded = fold(subject[:200])
    match = _AWAY.match(folded)
    if match is None:
        return "", False
    rest = _REPLY.match(folded[match.end() :].strip())
    return f"{match.group()} {rest.group()}".strip() if rest else match.group().strip(), rest is not None


def absence_note(text: str, *, answers: bool, announced: bool) -> str:
    """The words that make a short text an absence note, and no request of somebody who travels; "" if it is none.

    answers: the mail answers another. announced: its subject begins with the formula of an absence. It must say that
    its writer is away, and until when or whom else to ask; where nothing shows that it answers, also give thanks.
    """
    if len(text) > (_LONGEST if answers or announced else _LONGEST_UNASKED) or _ASKS.search(text):
        return ""
    first = fold(text[:_FIRST_WORDS])
    stem = _first_of(_ABSENT, first)
    if not stem or not (answers or announced or _first_of(_THANKS, first)):
        return ""
    folded = fold(text)
    dated = announced or _DATE.search(folded) is not None
    for absent, back, matter in _SPEECHES:
        spoken = _first_of(absent, first)
        if spoken and (dated or _first_of(back, folded)) and not _first_of(matter, folded):
            return spoken
    return ""


def _first_of(stems: tuple[str, ...], folded: str) -> str:
    for stem in stems:  # a plain loop: this is asked of every mail, and a generator takes four times as long
        if stem in folded:
            return stem
    return ""
