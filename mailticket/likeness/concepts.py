"""What people mean, whatever their trade, their words and their language: matters, troubles and things of any desk.

A trade's own concepts stand with the trade. A text without any concept is compared by its words alone.
"""

from __future__ import annotations

Wording = tuple[str, float, str, str]  # name, weight, English and Chinese (simplified) alternatives of a pattern

NOT = r"(?:not|\w{2,6}n't|never|no|nothing|nowhere|cannot|cant|dont|didnt|doesnt|wont|hasnt|havent|isnt|still)"

WORDINGS: tuple[Wording, ...] = (
    (
        "login",
        1.4,
        r"log(?:ged|ging)?[ -]?(?:in|on|into)|login\w?|sign(?:ed|ing)?[ -]?(?:in|into)|get (?:back )?(?:in|"
        r"into)|access (?:to )?my account|let me in",
        r"登录|登入|登陆|登不|进不去|上不去|登上",
    ),
    ("password", 1.8, r"passwords?|pass ?words?|pasword|pw|pwd|passcode", r"密码|口令"),
    (
        "second-factor",
        2.0,
        r"2 ?fa|two[ -]?factor|authenticator\w?|google auth\w{0,12}|one[ -]?time (?:code|password)s?|otp|totp|mfa|"
        r"backup codes?",
        r"双重验证|二次验证|两步验证|谷歌验证|验证器|动态码|身份验证器|谷歌码",
    ),
    (
        "code-not-received",
        2.0,
        r"(?:sms|text|verification|email|e-mail|confirmation|security|login) (?:message|code|mail)s?|(?:sms|"
        r"codes?) .{0,20}(?:arriv|receiv|get|com)\w{0,4}",
        r"验证码|短信",
    ),
    (
        "phone",
        1.9,
        r"(?:mobile|cell|phone|old|new|lost|broken|my) ?(?:phone|number|sim|handset)s?|sim (?:card|swap)|"
        r"(?<!answer the )(?<!up the )phones?|handset",
        r"手机|电话号|sim卡|换号|旧号",
    ),
    (
        "email-change",
        1.9,
        r"(?:change|update|new|old|wrong|replace|switch|lost access to) .{0,25}(?:e-?mail|mailbox|"
        r"mail address)|e-?mail address",
        r"(?:换|改|修改|更换|绑定|旧|新|原来)[^。，,]{0,6}邮箱|邮箱[^。，,]{0,8}(?:换|改|变更)",
    ),
    (
        "locked",
        1.5,
        r"lock(?:ed|out|s)?(?: out)?|unlock\w{0,3}|frozen?|freeze|unfreeze|suspend\w{0,4}|restrict\w{0,5}|"
        r"disabled|blocked|banned|deactivated",
        r"锁定|被锁|锁了|解锁|冻结|解冻|封号|被封|限制|停用|风控|禁用",
    ),
    (
        "hacked",
        2.0,
        r"hack\w{0,5}|stole\w?|stolen|theft|thief|compromised|hijack\w{0,3}|"
        r"(?:someone|somebody) (?:else )?(?:has |have |had |got |is |was |logged |broke |moved |took )\w{0,12}|not me|"
        r"wasn't me|unauthori[sz]ed|emptied|drained|intruder|"
        r"robb(?:ed|ing)|(?:i|we) (?:didn't|did not|haven't|have not|hadn't|never) (?:mak|mad|don?|authori[sz]|request|"
        r"initiat|order|approv|sen)\w{0,4}|(?:they|someone|somebody|he) (?:took|stole|withdrew|"
        r"transferred) (?:it|them|my)|"
        r"(?:someone|somebody|stranger|they|he|she) (?:is |are |got |was |were )?(?:in|inside|into) my account|"
        r"(?:took|taking|moved|moving|stealing|steals?) (?:all|everything|it all|my (?:money|funds))|cleaned out",
        r"被盗|盗号|盗走|被黑|黑客|不是我|不是本人|非本人|转走|有人(?:登|进|用|动|在(?:用|动))|(?:别人|陌生人)(?:登|进|用|动)|偷|入侵|陌生|异地",
    ),
    (
        "phishing",
        2.2,
        r"phish\w{0,4}|scam\w{0,4}|fraud\w{0,5}|fake|impersonat\w{0,5}|suspicious (?:e-?mail|message|link|"
        r"site|call)|pretend\w{0,3}",
        r"钓鱼|诈骗|骗子(?!平台|公司|交易所)|被骗|假客服|假冒|冒充|假网站|可疑",
    ),
    ("order", 0.9, r"orders?", r"订单|下单"),
    (
        "cancel",
        1.5,
        r"cancel\w{0,8}|(?:end|stop|terminat\w{1,3}) (?:my|the|our) (?:\w{1,10} )?(?:plan|subscription|"
        r"membership|contract)|revoke\w?|call(?:ed)? off|undo|withdraw (?:my|the) (?:order|request)",
        r"取消|撤销|撤不|撤回|撤掉|退订",
    ),
    (
        "fee",
        1.7,
        r"fees?|charge[ds]?|commission\w?|cost me|overcharged|deducted",
        r"手续费|费用|收费|扣费|扣了|费率|多扣",
    ),
    (
        "server-error",
        1.8,
        r"(?:error|http|status|code) 5\d\d|internal server|timeouts?|timed? out|(?:is|was|are|were|went|goes|"
        r"site|server|app|platform) down|outage|unavailable|"
        r"maintenance",
        r"超时|宕机|维护|服务器|打不开|崩了",
    ),
    (
        "document",
        1.6,
        r"passports?|id card\w?|driv\w{2,4}'?s? licen[cs]e|documents?|papers|national id|residence permit|"
        r"id photo",
        r"护照|身份证|驾照|驾驶证|证件|证明文件|居留",
    ),
    (
        "rejected",
        1.6,
        r"reject\w{0,4}|refus\w{1,4}|declin\w{1,4}|denied|turned down|fail(?:ed|s|ing|ure)?|not accepted|"
        r"won't accept|unsuccessful|not approved",
        r"拒绝|被拒|驳回|不通过|没通过|未通过|失败|没过|打回",
    ),
    (
        "under-review",
        1.5,
        r"under review|in review|pending|processing|review\w{0,3}|stuck|on hold|hanging|awaiting|not moving|"
        r"being checked|in progress",
        r"审核|审查|处理中|待处理|卡住|卡在|卡了|排队|复核|进行中|一直在",
    ),
    (
        "name-change",
        2.1,
        r"(?:chang|correct|misspel|wrong|updat|new|different|typo in|spelled|maiden|"
        r"marri)\w{0,5} .{0,25}(?:sur|last |first |middle |family |legal )?names?|surname|married name|"
        r"date of birth|birth ?date",
        r"改名|名字|姓名|出生日期|生日",
    ),
    (
        "not-arrived",
        1.1,
        NOT + r"\W.{0,30}(?:arriv|receiv|recieve|show|appear|land|reach|turn(?:ed)? up|"
        r"in my account|there|come through|came)\w{0,4}|missing|where (?:is|are|did)|"
        r"nowhere|gone|lost|disappeared|vanished",
        r"没到|未到|没有到|没收到|未收到|没有收到|不见了|消失|丢了|没看到|还没有?显示|"
        r"少了|查不到",
    ),
    (
        "wrong-address",
        2.1,
        r"wrong (?:receiving )?address|(?:typo|mistake) in the address|"
        r"old address|someone else's address",
        r"地址(?:填|写|输|粘贴|复制)?错|错误的?地址|填错(?:了)?地址|旧地址|地址不对",
    ),
    (
        "bank",
        1.7,
        r"banks?|wire\w?|sepa|swift|iban|bank (?:transfer|account)|ach|faster payments?",
        r"银行|电汇|汇款|转账到卡|银行卡|打款",
    ),
    (
        "card",
        2.0,
        r"(?:credit|debit|visa|master) ?cards?|visa|mastercard|card (?:payment|purchase)|paid by card|my card",
        r"信用卡|借记卡|刷卡",
    ),
    (
        "bonus",
        2.3,
        r"bonus\w{0,2}|vouchers?|coupons?|promo\w{0,6}|campaigns?|referral\w?|invit(?:e|ation)\w?|"
        r"cashback|welcome gift",
        r"奖励|红包|优惠|活动|邀请|返现|卡券",
    ),
    (
        "tax",
        2.4,
        r"tax\w{0,4}|statements?|export\w{0,3}|csv|annual report|"
        r"records? for (?:my )?accountant",
        r"报税|税务|税|对账单|导出|账单|流水",
    ),
    (
        "app",
        1.6,
        r"apps?|android|ios|iphone app|ipad|apk|play store|app store|(?:after|since) (?:the|your|"
        r"this) (?:\w{1,8} )?update",
        r"安卓|苹果|客户端|软件|闪退|更新|升级",
    ),
    (
        "crash",
        2.1,
        r"(?<!market )(?<!price )(?<!prices )crash\w{0,3}|freezes|"
        r"blank (?:page|screen)|white screen|black screen|keeps closing|won't (?:open|"
        r"start|load)|not loading|spinning|force closes",
        r"闪退|白屏|黑屏|打不开|卡死|崩溃|加载不|转圈",
    ),
    (
        "website",
        1.8,
        r"web ?site|web ?page|browser|chrome|safari|firefox|page|desktop",
        r"网页|网站|浏览器|页面|网址",
    ),
    (
        "close-account",
        2.4,
        r"(?:close|delete|remove|terminate|cancel|closing|deleting) (?:\w{1,8} )?(?:my |the |our )?account|"
        r"gdpr|erase my data|delete (?:all )?my data",
        r"注销|销户|删除账|关闭账|删除我的",
    ),
    (
        "data-wrong",
        1.6,
        r"incorrect\w{0,2}|wrong (?:amount|number|figure|data|value)|doesn't (?:add up|match)|mismatch|"
        r"discrepanc\w{1,3}|miscalculat\w{1,4}",
        r"不对|对不上|不一致|算错|显示错误|不符",
    ),
    (
        "refund",
        1.9,
        r"refund\w{0,3}|money back|(?:excess|difference|rest|overpayment) back|reimburs\w{1,5}|"
        r"compensat\w{1,4}|give (?:me )?back|return (?:my|"
        r"the) money",
        r"退款|退还|赔偿|补偿|退回|退钱|返还|赔我",
    ),
    (
        "recover",
        1.4,
        r"recover\w{0,3}|retriev\w{1,3}|restor\w{1,3}|rescue|get .{0,20}back",
        r"找回|追回|取回|恢复|拿回",
    ),
    ("duplicate-charge", 2.2, r"twice|double[ds]?|two times|duplicate[ds]?", r"两次|重复|双倍|扣了两|多扣"),
    (
        "reset",
        1.6,
        r"reset\w{0,4}|unbind\w{0,3}|unlink\w{0,3}|remove (?:the |my )?(?:2fa|authenticator|device)",
        r"重置|解绑|换绑|重设",
    ),
    (
        "device",
        1.8,
        r"devices?|ip address|location|browser session|sessions?",
        r"设备|ip地址|会话",
    ),
    (
        "complaint",
        1.6,
        r"complain\w{0,3}|complaint|regulator|lawyer|police|ombudsman|legal action|lawsuit",
        r"投诉|报警|律师|起诉|举报|监管|警察|法院",
    ),
    ("upgrade", 1.7, r"upgrad\w{1,3}|higher (?:tier|level|plan)|next (?:tier|level)", r"升级|升到|提升等级"),
    (
        "price-question",
        1.7,
        r"what (?:does|do|would|will) .{0,30}cost|how much (?:is|does|do|would)|price list|at what price|pricing",
        r"多少钱|怎么收费|价格表|报价|收费标准",
    ),
    (
        "register",
        1.7,
        r"regist\w{1,5}|sign(?:ing)? up|open (?:an?|another|my|his|her) .{0,15}account|become an?",
        r"注册|开户|开通",
    ),
    (
        "language",
        2.2,
        r"in (?:english|german|french|chinese|turkish|spanish)|language|translat\w{1,4}",
        r"语言|中文版|英文版|翻译",
    ),
    (
        "alert",
        2.1,
        r"alerts?|notifications?|newsletter|marketing|unsubscribe",
        r"提醒|通知|推广|营销|退订",
    ),
    ("display", 1.8, r"dark mode|colou?rs?|font|theme|layout", r"颜色|夜间模式|深色|字体|主题"),
    (
        "certificate",
        2.1,
        r"certificate|confirmation letter",
        r"证明|存证|开具",
    ),
    ("door", 2.0, r"doors?|key ?cards?|entrance|badges?", r"门禁|房门|开门|门卡|房卡"),
    (
        "leak",
        2.1,
        r"leak\w{0,3}|dripp?\w{0,3}|flood\w{0,3}|under water|water (?:is )?(?:pour|com|runn)\w{0,4}|"
        r"pour\w{0,3} (?:through|in|down)",
        r"漏水|渗水|滴水|淹",
    ),
    (
        "heating",
        2.1,
        r"heat(?:ing|er)s?|radiators?|freezing (?:in|cold)|(?:ice|stone) cold|boiler",
        r"暖气|供暖|取暖|好冷",
    ),
    ("expired", 1.9, r"expir\w{2,4}|out of date|older than", r"过期|到期|失效"),
    (
        "payment-method",
        2.0,
        r"paypal|apple pay|google pay|payment method|card on file|stored card",
        r"支付方式|付款方式|微信支付|支付宝",
    ),
    (
        "person",
        1.9,
        r"signator\w{1,3}|authori[sz]ed (?:users?|person)|employee|colleague|director",
        r"法人|法定代表人|经办人|授权人",
    ),
    ("history", 1.7, r"histor(?:y|ical)|past data|archive", r"历史|往年|去年"),
    ("hardware-key", 2.3, r"security key|yubikey|passkey|hardware key", r"安全密钥|硬件密钥|通行密钥"),
    ("allergen", 2.3, r"allerg\w{1,4}|sesame|gluten|nuts?|vegan", r"过敏|素食"),
    (
        "human",
        1.9,
        r"(?:speak|talk) to (?:a )?(?:human|person|someone)|real person|chat ?(?:bot|robot)",
        r"真人|转人工|人工客服|机器人客服",
    ),
    ("vpn", 2.3, r"vpn|remote access|office network|company network", r"内网|远程"),
    ("printer", 2.3, r"print(?:er|ing|s)?|toner", r"打印"),
    (
        "return",
        2.0,
        r"send (?:it|them|this) back|return(?:ing)? (?:it|them|the|label)|swap|wrong (?:size|colou?r|item)|"
        r"exchange (?:it|the|them)",
        r"退货|换货|尺码|寄回",
    ),
    (
        "reschedule",
        2.1,
        r"(?:move|change|postpone|shift) .{0,30}(?:date|booking|appointment|to \d)|a (?:week|day) (?:later|"
        r"earlier)",
        r"改期|改到|延期|推迟",
    ),
    ("breakfast", 2.2, r"breakfast|parking|check-?in|check-?out|room service", r"早餐|停车|入住|退房"),
    (
        "add",
        1.3,
        r"add(?:ing|ed)?|creat(?:e|ing)|set(?:ting)? up|put .{0,20}into|subscribe to|enroll?",
        r"添加|新增|开设|申请开|创建|加一个",
    ),
    (
        "remove",
        1.4,
        r"delet\w{1,3}|remov(?:e|ing|ed)|switch(?:ed)? off|turn(?:ed)? off|stop (?:sending|receiving)|"
        r"unsubscribe",
        r"删除|移除|关闭|去掉|关掉",
    ),
    (
        "button",
        1.8,
        r"buttons?|gr[ea]y(?:ed)?(?: out)?|nothing happens|does not react|doesn't react|no reaction when",
        r"按钮|灰色|灰的|点不了|没反应|点了",
    ),
    (
        "less-than-due",
        1.7,
        r"less than|only (?:got|received|arrived)|short(?:fall)? (?:of|by)|too (?:little|few)|lower than",
        r"少了|只到|少给|少到|不足额|比.{0,8}少",
    ),
    ("consumable", 2.1, r"refill|cartridge|ink|empty tank", r"墨盒|墨量|换墨|耗材"),
    ("screen", 1.8, r"projector|monitor|screen(?!shot)|display", r"投影|显示器|屏幕"),
    ("ban", 1.9, r"ban(?:ned|s)?", r"封禁|禁止"),
    ("instalment", 2.0, r"shipp(?:ing|ed) label|return label|label", r"退货单|面单"),
    (
        "change",
        1.2,
        r"chang(?:e|ed|ing)|updat(?:e|ing)|correct(?:ed|ion)?|replac\w{1,4}|switch(?:ed|ing)?",
        r"修改|更改|更换|变更|改成|换成|更正|换绑",
    ),
    (
        "slow",
        1.7,
        r"slow(?:ly|er)?|late(?!r)|delay\w{0,3}|latency|lag(?:s|ging|gy)?|takes (?:too )?long",
        r"慢|延迟|卡顿|迟",
    ),
    (
        "mistake",
        1.6,
        r"by mistake|by accident|accidental\w{0,2}|wrongly|mistyped|mixed up|typo",
        r"误操作|不小心|弄错|搞错|失误",
    ),
    (
        "delivery",
        1.8,
        r"deliver\w{0,5}|shipp?(?:ed|ing|ment)|parcel|package|courier|tracking",
        r"快递|物流|发货|包裹|配送|派送|运单|送货",
    ),
    ("invoice", 2.1, r"invoices?|receipts?|billing|vat", r"发票|收据|开票"),
    (
        "subscription",
        2.1,
        r"subscri\w{2,8}|membership|renew\w{0,4}|premium|(?:monthly|yearly|annual|basic|pro) plan",
        r"会员|订阅|续费|套餐",
    ),
    ("broken", 1.7, r"broken|damaged|defect\w{0,3}|cracked|faulty|scratched", r"坏了|破损|损坏|故障|裂"),
    (
        "address-change",
        2.0,
        r"(?:chang|updat|new|mov)\w{0,3} .{0,15}(?:shipping |delivery |postal |home )?address",
        r"改地址|换地址|收货地址|新地址",
    ),
    (
        "appointment",
        2.1,
        r"appointments?|booking\w?|reschedul\w{1,3}|reserv\w{1,6}|calendar",
        r"预约|预订|改期|预定",
    ),
)

# What happened or is wanted, as against the thing it happened to.
DEEDS: frozenset[str] = frozenset(
    """
    not-arrived cancel locked rejected under-review crash wrong-address reset refund recover duplicate-charge
    data-wrong fee expired broken hacked phishing name-change address-change email-change upgrade add
    price-question register close-account remove button less-than-due ban consumable server-error reschedule
    return slow mistake change complaint code-not-received
    """.split()  # noqa: SIM905 - a list of words reads as words
)

# Concepts that go with any matter: sharing none but these is no shared topic, and they set nothing apart.
GENERAL: frozenset[str] = frozenset(
    """
    not-arrived rejected under-review recover refund complaint data-wrong server-error website
    """.split()  # noqa: SIM905
)
