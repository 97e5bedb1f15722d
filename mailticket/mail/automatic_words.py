"""The subjects and sentences by which programs answer for people, in the languages and products of our senders.

Rule of the room: a subject counts only where it begins with a program's formula, and a sentence only where it speaks of
the very mail that it stands in; an absence that somebody merely mentions counts for nothing.
"""

from __future__ import annotations

import re

from mailticket.text.patterns import lazy_pattern

_END = r"(?:\s?[:：\])】）\-–]|\s*$)"  # behind a formula that nobody else uses
_COLON = r"\s?[:：]"  # behind a word that people use too
REPLY_SUBJECT = lazy_pattern(
    r"\s*[\[(【（<]?\s?(?:"
    # English
    rf"(?:automatic|automated|auto[- ]?)\s?(?:reply|response|answer|acknowledge?ment|replied|responder){_END}"
    rf"|out of (?:the )?office(?:\s?auto[- ]?reply|\s(?:reply|notification|notice|message|response))?{_END}"
    rf"|(?:i am|i'm|currently) out of (?:the )?office\b|on vacation{_COLON}|away from (?:the office|my mail){_END}"
    rf"|vacation (?:reply|response|notice|message|autoreply){_END}|auto(?:reply|response|responder)\b{_END}"
    rf"|ooo{_COLON}|away message{_COLON}"
    # Notes and Domino: "AUTO: Ann Example is out of the office (returning 04/06/2026)"
    r"|(?:auto: )?[^:?\n]{2,60} (?:is|will be) out of the office\.? ?(?:\((?:returning|back)|$)"
    r"|(?:auto: )?[^:?\n]{2,60} ist außer haus\.? ?(?:\((?:rückkehr|zurück)|$)"
    r"|auto: [^?\n]{2,80}\((?:retour|rientro|regreso|regresa|terug)"
    # German, French, Spanish, Portuguese, Italian, Dutch
    rf"|(?:automatische|autom\.) (?:antwort|rückantwort|eingangsbestätigung){_END}"
    rf"|abwesenheits(?:notiz|benachrichtigung|meldung|assistent|nachricht|info)\b|abwesend{_COLON}"
    rf"|(?:bin )?nicht im (?:büro|haus){_COLON}|out[- ]of[- ]office-nachricht|réponse automatique{_END}"
    rf"|absence(?: du bureau)?{_COLON}|absent(?:e)?(?: du bureau)?{_COLON}|message d'absence{_END}"
    rf"|notification d'absence{_END}|respuesta autom[áa]tica{_END}|fuera de (?:la )?oficina{_COLON}"
    rf"|auto[- ]?respuesta{_END}|ausencia{_COLON}|resposta autom[áa]tica{_END}|fora do escrit[óo]rio{_COLON}"
    rf"|aus[êe]ncia{_COLON}|risposta automatica{_END}|fuori (?:sede|ufficio){_COLON}|risponditore automatico{_END}"
    rf"|automatisch(?:e)? (?:antwoord|beantwoording){_END}|afwezig(?:heid)?(?:s?bericht|smelding)?{_END}"
    rf"|niet aanwezig{_COLON}"
    # Polish, Czech, Russian, Ukrainian, Scandinavian, Finnish, Turkish, Hungarian, Romanian, Vietnamese
    rf"|(?:automatyczna odpowiedź|odpowiedź automatyczna|autoodpowiedź){_END}|(?:nieobecność|poza biurem){_COLON}"
    rf"|automatická odpověď{_END}|mimo kancelář{_COLON}|(?:автоматический ответ|автоответ){_END}"
    rf"|(?:автоответчик|нет на месте|вне офиса|отсутствую){_COLON}|автоматична відповідь{_END}"
    rf"|(?:autosvar|automatiskt svar|automatisk svar|automatisk svarmelding|frånvaro|fravær){_END}"
    rf"|automaattinen vastaus{_END}|otomatik (?:yanıt|cevap){_END}|automatikus válasz{_END}|răspuns automat{_END}"
    rf"|trả lời tự động{_END}|thư trả lời tự động{_END}|balasan otomatis{_END}"
    # Chinese, Japanese, Korean
    rf"|(?:自动|自動)(?:回复|答复|回覆|答覆|回應|回应|应答|応答|返信|回信|返答)(?:邮件|郵件|メール|消息)?{_END}"
    rf"|(?:来自.{{1,30}}的)?(?:假期|休假|外出|离开)自动(?:回复|答复)"
    rf"|(?:休假|外出|不在|离岗|離席)(?:通知|のお知らせ|自动回复|自動回覆|中){_END}|不在(?:通知|届|のため)"
    rf"|(?:不在|休暇)応答{_END}|자동 ?(?:회신|응답|답장){_END}|부재중(?: ?(?:알림|메시지|자동 ?응답))?{_END}"
    rf"|외출중{_END}"
    r")",
    re.IGNORECASE,
)
RECEIPT_SUBJECT = lazy_pattern(
    r"\s*(?:read|not read|gelesen|ungelesen|lu|non lu|leído|no leído|lida|lido|não lida|letto|non letto|gelezen"
    r"|ongelezen|przeczytane|прочтено|прочитано|已读|已讀|未读|未讀|已读回执|开封済み|開封済み|읽음|return receipt"
    r"|read receipt|disposition notification|lesebestätigung|empfangsbestätigung|accusé de (?:réception|lecture)"
    r"|confirmación de lectura|confirma(?:ção|tion) de (?:leitura|lecture)|ricevuta di (?:lettura|ritorno)"
    r"|leesbevestiging)\s?[:：(（]",
    re.IGNORECASE,
)
RECEIPT_SENTENCE = lazy_pattern(
    r"(?:was|were|has been) (?:read|displayed|opened|deleted without being read)|this is a (?:return|read) receipt"
    r"|return receipt (?:only )?acknowledges|wurde (?:am .{1,60} )?(?:gelesen|angezeigt|geöffnet)|lesebestätigung"
    r"|a été (?:lu|affiché|ouvert)|(?:fue|ha sido|se) (?:leíd|leyó|mostrad|abiert)|foi (?:lida|lido|aberta|exibida)"
    r"|è stato (?:letto|visualizzato|aperto)|(?:is|werd) (?:.{1,60} )?(?:gelezen|weergegeven)"
    r"|(?:已于|于|於|已在).{0,60}(?:阅读|閱讀|读取|讀取|查看|打开)|已(?:阅读|閱讀|被读|读)|开封|開封(?:され|しました)"
    r"|прочитано|прочтено",
    re.IGNORECASE,
)
# The subject of a DMARC aggregate report (RFC 7489 section 7.2.1.1).
MACHINE_SUBJECT = lazy_pattern(r"\s*report domain: ?\S{1,255} submitter: ?\S{1,255} report-id:", re.IGNORECASE)
CALENDAR_SUBJECT = lazy_pattern(
    r"\s*(?:accepted|declined|tentative(?:ly accepted)?|new time proposed|zugesagt|abgesagt|abgelehnt|mit vorbehalt"
    r"|angenommen|accepté|refusé|provisoire|aceptad[oa]|rechazad[oa]|provisional|aceito|aceite|recusado|provisório"
    r"|accettat[oa]|rifiutat[oa]|provvisori[oa]|geaccepteerd|afgewezen|voorlopig|zaakceptowano|odrzucono|принято"
    r"|отклонено|под вопросом|已接受|已谢绝|已拒绝|暂定|已接受邀请|已婉拒|已拒絕|暫定|承諾|辞退|仮承諾|承諾済み"
    r"|수락됨|거절됨|미정)\s?[:：]",
    re.IGNORECASE,
)
# The whole of a mail that stands for a click on an emoji: Gmail's, Outlook's, and the tapbacks of Apple's Messages.
_WHO = r"[^\n:?]{1,80}"
REACTION = lazy_pattern(
    r"[^\w\n]{0,40}\s*(?:"
    rf"{_WHO} (?:reacted|hat|ha reagito|a réagi|ha reaccionado|reagiu|heeft|zareagował\(?a?\)?) ?(?:reagiert )?(?:via"
    r"|über|a través de|através do|tramite|przez) gmail\b[^\n]{0,10}(?:\s+<?https?://\S+)?"
    r"|(?:[\[(]?(?:like|love|heart|celebrate|laugh|surprised|sad|thumbs up)[\])]?[^\w\n]{0,6})?"
    rf"{_WHO} (?:reacted to your (?:message|e-?mail|mail)|hat auf (?:ihre|deine) (?:nachricht|e-?mail) reagiert"
    r"|a réagi à (?:votre|ton) (?:message|e-?mail)|(?:ha reaccionado|reaccionó) a (?:su|tu) (?:mensaje|correo)"
    r"|reagiu (?:à sua|a sua|à tua) (?:mensagem)|ha reagito al (?:tuo|suo) (?:messaggio)"
    r"|heeft (?:gereageerd op (?:uw|je|jouw) bericht|op (?:uw|je) bericht gereageerd)"
    r"|zareagował(?:a|\(a\))? na (?:twoją|twój) (?:wiadomość|e-?mail)|отреагировал(?:а|\(а\))? на ваше сообщение)\b"
    r"|[^\n?？。]{1,40}(?:对|對)(?:你|您)的(?:邮件|郵件|消息|訊息)(?:做出了?|作出了?)(?:反应|反應|回应|回應)"
    r"|[^\n?？。]{1,40}さんが(?:あなたの)?メッセージにリアクションしました"
    r"|(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned|reacted \S{1,12} to) [“\"][^\n]{1,300}[”\"]"
    r"|(?:gefällt|hat) [„\"][^\n]{1,300}[“\"] (?:markiert|geliked)"
    r")[^\w\n]{0,6}(?:\r?\n\s*)*(?:$|-{2,}|_{5,}|from:|von:|de:|da:|van:|od:|发件人|寄件者|差出人)",
    re.IGNORECASE,
)
RECALL_SUBJECT = lazy_pattern(
    r"\s*(?:recall|rückruf|rappel|recuperar|recuperação|recolher|revogar|richiamo|richiama|intrekken|intrekking"
    r"|odwołanie|odwołaj|odvolání|odvolat|odvolanie|visszahívás|rechemare|отзыв|отозвать|відкликання|відкликати"
    r"|återkalla|återkallelse"
    r"|tilbagekald|tilbagekaldelse|tilbakekall|tilbakekalling|peruutus|kutsu takaisin|geri çağırma|geri çağır"
    r"|ανάκληση"
    r"|retirar|retirada|استرجاع|سحب|ביטול|החזרה|thu hồi|penarikan|撤回|回收|收回|召回|リコール|取り消し|取消し"
    r"|メッセージの取り消し|회수|메시지 회수)\s?[:：]",
    re.IGNORECASE,
)
RECALL_SENTENCE = lazy_pattern(
    r"would like to recall the message|möchte (?:die|ihre) nachricht [^\n]{0,200}zurückrufen"
    r"|(?:souhaite|voudrait|aimerait) rappeler le message"
    r"|(?:desea|quisiera|quiere|le gustaría) (?:recuperar|retirar) el mensaje"
    r"|(?:gostaria de|deseja|pretende) (?:cancelar|recuperar|retirar|recolher|revogar) (?:a )?mensagem"
    r"|(?:desidera|vorrebbe) richiamare il messaggio|wil (?:graag )?het bericht [^\n]{0,200}intrekken"
    r"|(?:chce|chciał\(?a?\)?by) (?:odwołać|wycofać) wiadomość|(?:chce|by chtěl\(?a?\)?|si přeje) odvolat zprávu"
    r"|(?:chce|by chcel\(?a?\)?) odvolať správu|vissza (?:szeretné|kívánja) (?:hívni|vonni)[^\n]{0,40}üzenet"
    r"|dorește să (?:recheme|retragă) mesajul|(?:хочет|желает|хотел(?:\(?а\)?)? бы) отозвать сообщение"
    r"|(?:хоче|бажає) відкликати повідомлення|vill återkalla meddelandet|vil (?:gerne )?tilbagekalde meddelelsen"
    r"|(?:vil|ønsker å) (?:gjerne )?tilbakekalle meldingen"
    r"|haluaa (?:peruuttaa|kutsua takaisin) viestin"
    r"|iletisini geri çağırmak istiyor|θέλει να ανακαλέσει το μήνυμα|يرغب في استرجاع الرسالة|מעוניין לבטל את ההודעה"
    r"|muốn thu hồi (?:thư|tin)|(?:希望|想要?|要求|欲|试图|試圖)(?:撤回|回收|收回|召回)"
    r"|メッセージ[^\n]{0,200}取り消(?:し|そう)"
    r"|메시지[^\n]{0,200}(?:회수|취소)하려고",
    re.IGNORECASE,
)
# A sentence that calls the mail in which it stands an automatic answer.
REPLY_SENTENCE = lazy_pattern(
    r"\b(?:this|the following) (?:e-?mail |mail |message )?(?:is|was) (?:an |a "
    r"|sent as an? )?(?:auto(?:matic(?:ally)?|mated)?[- ]?(?:generated |sent )?)(?:e-?mail )?(?:reply|response|answer"
    r"|responder|vacation|out[- ]of[- ]office)|\bthis is an? (?:vacation|out[- ]of[- ]office"
    r"|away) (?:auto[- ]?)?(?:reply|message|response|notice|notification)"
    r"|\bdie(?:s|se nachricht|se e-?mail|se mail) ist eine (?:automatische"
    r"|automatisch (?:generierte|erstellte|erzeugte)) (?:antwort|abwesenheits|rückantwort)"
    r"|automatische abwesenheitsnotiz|\bceci est une réponse automatique"
    r"|\b(?:ésta|esta|este) es una respuesta automática|\besta é uma resposta automática"
    r"|\bquesta è una risposta automatica|\bdit is een automatisch (?:antwoord|bericht)"
    r"|\bto jest (?:automatyczna odpowiedź|wiadomość automatyczna)|это автоматический ответ"
    r"|это (?:письмо|сообщение) (?:отправлено|создано|сформировано) автоматически"
    r"|(?:这|此|本)(?:是来自|是一封|是一个|邮件(?:是|为|系)|封邮件(?:是|为|系)"
    r"|信(?:是|为|系))[^。\n你您我]{0,16}自动(?:回复|答复|应答)"
    r"|(?:這|此|本)(?:是來自|是一封|是一個|郵件(?:是|為|係)|封郵件(?:是|為|係)"
    r"|信(?:是|為|係))[^。\n你您我]{0,16}自動(?:回覆|回復|答覆|回應)"
    r"|^\s*[\[【(（](?:自动回复|自動回覆|自动答复|auto[- ]?reply|automatic reply)[\]】)）]"
    r"|(?:このメールは|本メールは)[^。\n]{0,20}自動(?:返信|応答|的に返信)|(?:이|본) 메일은 자동 ?(?:회신|응답)",
    re.IGNORECASE,
)
ABSENCE = lazy_pattern(
    r"\bi(?: am|'m| will be|'ll be| am currently|'m currently)(?: currently| now)? (?:out of (?:the |my )?office"
    r"|away from (?:the |my )?(?:office|desk|e-?mail)"
    r"|on (?:annual |parental |maternity |sick |paternity |medical )?(?:leave|vacation|holidays?)|not in the office"
    r"|travell?ing)|\bthank(?:s| you) for your (?:e-?mail|message)[.!,]? {1,3}i(?: am|'m) (?:currently |now )?(?:away"
    r"|out)|\bich bin (?:derzeit|zur ?zeit|momentan|aktuell|bis|vom|ab|im|in|heute|leider"
    r"|vorübergehend)?[^\n]{0,60}(?:nicht (?:im büro|im haus|erreichbar|am arbeitsplatz)|abwesend|im urlaub"
    r"|außer haus|nicht da)|\bje suis (?:actuellement |absent|en congé|en déplacement|hors du bureau)"
    r"|\bestoy (?:fuera de la oficina|de vacaciones|ausente)|\bestaré (?:fuera|ausente|de vacaciones)"
    r"|\bme encuentro (?:fuera|de vacaciones|ausente)|\bestou (?:fora do escritório|de férias|ausente)"
    r"|\bestarei (?:fora|ausente|de férias)|\bsono (?:fuori (?:sede|ufficio)|in ferie|assente)"
    r"|\bsarò (?:assente|fuori|in ferie)|\bik ben (?:momenteel |tot |van )?[^.\n]{0,40}(?:afwezig|niet (?:op kantoor"
    r"|aanwezig|bereikbaar)|met vakantie|op vakantie)"
    r"|\b(?:jestem|będę) (?:obecnie )?(?:nieobecn|na urlopie|poza biurem)"
    r"|(?:нахожусь|буду|я) (?:сейчас )?(?:в отпуске|отсутств|вне офиса)|меня (?:не будет|нет) (?:в офисе|на месте)"
    r"|我(?:现在|目前|正在|将|正|近期)?[^。\n]{0,12}(?:休假|度假|出差|外出|不在办公室|离开办公室|年假|产假)"
    r"|我(?:現在|目前|正在|將)?[^。\n]{0,12}(?:休假|度假|出差|外出|不在辦公室|離開辦公室|請假)"
    r"|(?:休暇|不在|出張)[^。\n]{0,20}(?:しております|いたします|のため|です)"
    r"|(?:휴가|출장|부재)[^.\n]{0,12}(?:중|입니다)",
    re.IGNORECASE,
)
# What an absence note adds: whom else to write to, when the answer comes.
ABSENCE_ADVICE = lazy_pattern(
    r"\b(?:will (?:respond|reply|answer|get back|return|be back|review|read)|upon my return|on my return"
    r"|when i (?:return|am back|get back)|limited (?:access|e-?mail|connectivity)|no access to"
    r"|(?:urgent|immediate|emergency)[^.\n]{0,80}(?:contact|call|e-?mail|write|reach|help)|(?:please|kindly) contact"
    r"|in my absence|returning on|back (?:on|in the office))\b|in dringenden|wenden sie sich|nach meiner rückkehr"
    r"|meine vertretung|ihre (?:e-?mail|nachricht) wird nicht (?:weitergeleitet|gelesen)"
    r"|wieder (?:im büro|erreichbar|da|für sie)|à mon retour|en cas d'urgence|je (?:serai|suis) de retour"
    r"|pendant mon absence|veuillez contacter|a mi regreso|en caso de urgencia|para (?:asuntos|temas) urgentes"
    r"|contacte (?:con|a)|no meu (?:retorno|regresso)|em caso de urgência|contacte|contatar"
    r"|al mio (?:rientro|ritorno)|per (?:urgenze|questioni urgenti)|contattare|bij (?:dringende|spoed)"
    r"|na mijn terugkeer|neem (?:dan )?contact|po powrocie|w pilnych sprawach|proszę o kontakt z|по возвращении"
    r"|по срочным вопросам|обращайтесь|(?:回来|返回|返岗|假期结束|上班)(?:后|以后|之后)"
    r"|(?:紧急|急事|緊急)[^。\n]{0,24}(?:联系|聯絡|聯繫|致电|致電|电话|電話|拨打)"
    r"|(?:尽快|儘快|稍后|稍後)[^。\n]{0,8}(?:回复|回覆|答复|联系)|無法及時|无法及时|お急ぎ|戻り次第"
    r"|ご連絡(?:いた|させ|くだ)|긴급|복귀",
    re.IGNORECASE,
)
# What somebody who wants something writes about, and no absence note.
REQUEST = lazy_pattern(
    r"\b(?:my|the) (?:account|money|funds?|withdrawals?|deposits?|orders?|password|phone|wallet|balance|documents?"
    r"|ticket)\b|\b(?:withdraw|deposit|refund|log ?in|password|2fa|passport|hacked|stolen|lost|stuck|locked|frozen"
    r"|unlock|missing)\b|\b(?:can|could|would) you\b|\bhelp me\b|\bi (?:need|want|cannot|can't)\b"
    r"|\b(?:konto|passwort|auszahlung|einzahlung|bestellung|geld|gesperrt|verloren|compte|mot de passe|retrait|dépôt"
    r"|commande|argent|perdu|bloqué|cuenta|contraseña|retiro|depósito|dinero|pedido|perdí|conta|senha|saque|dinheiro"
    r"|conto|prelievo|deposito|soldi|wachtwoord|rekening|opname|storting|geblokkeerd|hasło|wypłat\w*|wpłat\w*"
    r"|pieniądze)\b|аккаунт|счёт|счет|парол|вывод|депозит|деньги|заблокирован|помогите|账户|账号|帐户|帐号|賬戶|帳戶"
    r"|帳號|提现|提現|充值|到账|到賬|密码|密碼|订单|訂單|验证码|驗證碼|被盗|被盜|冻结|凍結|帮我|幫我|帮忙|余额|资金"
    r"|口座|出金|入金|パスワード|ログイン|계정|출금|입금|비밀번호",
    re.IGNORECASE,
)
# A sentence that calls the mail in which it stands machine-made, or forbids to answer it.
MACHINE_SENTENCE = lazy_pattern(
    r"\bthis (?:e-?mail|message|mail|notification) (?:is|was|has been) (?:an )?(?:automatic(?:ally)?"
    r"|auto)[- ]?(?:generated|sent|created|issued)"
    r"|\bthis is an? (?:automatic(?:ally)?|automated|auto)[- ]?(?:generated |sent )?(?:e-?mail|message|mail"
    r"|notification|notice)|\b(?:please )?do not (?:reply|respond) (?:directly )?to this (?:e-?mail|message|mail"
    r"|notification|automated)|\breplies to this (?:e-?mail|message|mailbox) (?:are|will) not"
    r"|\bdiese (?:e-?mail|nachricht|mail) wurde (?:automatisch|maschinell)"
    r"|\bbitte (?:antworten sie )?nicht auf diese (?:e-?mail|nachricht|mail)(?: antworten)?"
    r"|\bce (?:message|courriel|mail|e-?mail) (?:est|a été) (?:envoyé|généré) automatiquement"
    r"|\bmerci de ne pas répondre à ce|\b(?:este|esta) (?:correo|mensaje|es un (?:correo"
    r"|mensaje)) (?:electrónico )?(?:es|fue|ha sido|se) ?(?:generado |enviado )?(?:automátic|de forma automática)"
    r"|\b(?:por favor,? )?no responda (?:a )?este"
    r"|\b(?:esta|este) (?:mensagem|e-?mail) (?:é|foi) (?:gerad|enviad)[oa] automaticamente"
    r"|\b(?:por favor,? )?não responda (?:a )?est"
    r"|\bquest[ao] (?:messaggio|e-?mail|mail) è stat[ao] (?:generat|inviat)[ao] automaticamente"
    r"|\bsi prega di non rispondere|\bdeze (?:e-?mail|mail) (?:is|werd|wordt) automatisch"
    r"|\b(?:ta |niniejsza )?wiadomość (?:została )?(?:wygenerowana|wysłana) automatycznie"
    r"|\bprosimy (?:na nią )?nie odpowiadać|(?:не отвечайте|отвечать) на (?:это|данное|него) (?:письмо|сообщение)"
    r"|(?:此|本|该|這|这)(?:封)?(?:邮件|郵件|信|电邮|電郵|訊息|消息)(?:是|由|为|為|系|係)?[^。\n你您我]{0,10}(?:自动"
    r"|自動)(?:发送|发出|生成|發送|發出|產生|寄出|寄送|产生)|(?:系统|系統)(?:自动|自動)(?:发送|发出|發送|發出|寄出"
    r"|通知)(?:的?(?:邮件|郵件|信件|通知))?[，,。；;、 ]{1,3}(?:请|請)?(?:勿|不要)"
    r"|(?:请勿|請勿|请不要|請不要|切勿)(?:直接)?(?:回复|回覆|答复|回復)(?:(?:此|本|该|這|这)(?:封)?(?:邮件|郵件|信"
    r"|电邮|電郵)|\s*(?:[。！!，,；;】）)\]]|$))|(?:このメールは|本メールは)[^。\n]{0,24}(?:自動(?:送信|配信|的に)"
    r"|送信専用)|이 메일은[^.\n]{0,16}(?:자동|발신 ?전용)",
    re.IGNORECASE,
)
# Without one of these parts no sentence above can stand in a text; to look for them first is ten times cheaper.
_SAYS_REPLY = ("auto", "автомат", "自动", "自動", "자동", "vacation", "office", "away")
_SAYS_MACHINE = (
    *("auto", "автомат", "自动", "自動", "자동", "발신", "repl", "respond", "antworten", "maschinell", "répondre"),
    *("rispondere", "odpowiadać", "отвеча", "请勿", "請勿", "请不要", "請不要", "切勿", "系统", "系統", "送信専用"),
)
_SAYS_ABSENCE = (
    *(
        "office",
        "leave",
        "vacation",
        "holiday",
        "away",
        "travel",
        " out",
        "büro",
        "haus",
        "urlaub",
        "abwesend",
        "erreichbar",
    ),
    *(
        "arbeitsplatz",
        "nicht da",
        "absent",
        "congé",
        "déplacement",
        "bureau",
        "oficina",
        "vacaciones",
        "ausente",
        "fuera",
    ),
    *(
        "escritório",
        "férias",
        "fora",
        "fuori",
        "ferie",
        "assente",
        "afwezig",
        "kantoor",
        "aanwezig",
        "bereikbaar",
        "vakantie",
    ),
    *(
        "nieobecn",
        "urlop",
        "biur",
        "отпуск",
        "отсутств",
        "офис",
        "на месте",
        "休",
        "假",
        "出差",
        "外出",
        "不在",
        "离开",
        "離開",
    ),
    *("出張", "휴가", "출장", "부재"),
)


def find(sentence: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first place where one of the sentences of this room stands in the text."""
    parts = _PARTS[sentence]
    lowercase = text.lower()
    return sentence.search(text) if any(part in lowercase for part in parts) else None


_PARTS = {REPLY_SENTENCE: _SAYS_REPLY, MACHINE_SENTENCE: _SAYS_MACHINE, ABSENCE: _SAYS_ABSENCE}
