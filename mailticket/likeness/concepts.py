"""What people mean, whatever words and language they choose: a lexicon of matters, troubles and things.

"It never showed up", "not credited" and "没到账" are one concept. Two texts are compared by concepts as well as by
words, so that a request told again in other words, or in the other language, is recognised. The concepts are those of
the exchange's help desk and of ordinary commerce; a text without any of them is compared by its words alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_TEXT = 3_000


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept: how much sharing it says (1 is usual for a support mail, 3 is seldom met), and how it is worded."""

    name: str
    weight: float
    pattern: re.Pattern[str]


def concepts_in(text: str) -> dict[str, float]:
    """The concepts that a folded text names, with their weights, in the order of the lexicon.

    Only the first LONGEST_TEXT characters count: people name their matter before they paste a log.
    """
    text = text[:LONGEST_TEXT]
    return {concept.name: concept.weight for concept in _LEXICON if concept.pattern.search(text)}


def _concept(name: str, weight: float, english: str, chinese: str) -> Concept:
    """English alternatives stand as whole words, Chinese ones anywhere."""
    sources = [f"(?<![a-z])(?:{english})(?![a-z])" if english else "", f"(?:{chinese})" if chinese else ""]
    return Concept(name, weight, re.compile("|".join(source for source in sources if source)))


_NOT = r"(?:not|\w{2,6}n't|never|no|nothing|nowhere|cannot|cant|dont|didnt|doesnt|wont|hasnt|havent|isnt|still)"

# name, weight, English, Chinese (simplified)
_LEXICON: tuple[Concept, ...] = tuple(
    _concept(*entry)
    for entry in (
        # matters
        (
            "deposit",
            1.0,
            r"deposit\w{0,4}|top(?:ped|ping)?[ -]?up|topup|incoming (?:transfer|payment)|sent .{0,40}(?:to|"
            r"into) (?:my|your|the) (?:account|wallet|exchange|platform|deposit)|fund(?:ed|ing)? my account|"
            r"money in",
            r"充值|充币|充了|入金|冲值|存入|转入|打进来|转进|上账",
        ),
        (
            "withdrawal",
            1.0,
            r"withdr[ae]w\w{0,4}|withdrawl\w?|cash(?:ing|ed)?[ -]?out|payout\w?|take (?:my|the) (?:money|coins|"
            r"funds) out|get (?:my|the) (?:money|coins|funds) out|(?:sent|send|sending|moved?|"
            r"moving) .{0,30}(?:out of|off) (?:your|the) (?:exchange|platform)",
            r"提现|提币|提款|出金|取款|取钱|提不|提到|提了|提走|转出|取不出|提出",
        ),
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
            r"phones?|handset",
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
            r"someone (?:else )?(?:has |have |had |got |is |was |logged |broke |moved |took )\w{0,12}|not me|"
            r"wasn't me|unauthori[sz]ed|emptied|drained|intruder",
            r"被盗|盗号|盗走|被黑|黑客|不是我|不是本人|非本人|转走|有人(?:登|进|用|动)|入侵|陌生|异地",
        ),
        (
            "phishing",
            2.2,
            r"phish\w{0,4}|scam\w{0,4}|fraud\w{0,5}|fake|impersonat\w{0,5}|suspicious (?:e-?mail|message|link|"
            r"site|call)|pretend\w{0,3}",
            r"钓鱼|诈骗|骗子|被骗|假客服|假冒|冒充|假网站|可疑",
        ),
        ("order", 0.9, r"orders?", r"订单|委托|挂单|下单|限价单|市价单"),
        (
            "cancel",
            1.5,
            r"cancel\w{0,8}|revoke\w?|call(?:ed)? off|undo|withdraw (?:my|the) (?:order|request)",
            r"取消|撤单|撤销|撤不|撤回|撤掉|退订",
        ),
        (
            "not-filled",
            1.9,
            r"(?:un|not |n't |never |partially |half |only part\w{0,4} )(?:been |get |got |be )?(?:fill\w{0,3}|"
            r"execut\w{0,4}|trigger\w{0,3}|match\w{0,3})|no fill",
            r"没成交|未成交|不成交|部分成交|没有成交|没触发|未触发|没有触发|成交不了",
        ),
        (
            "wrong-price",
            1.8,
            r"slippage|wrong price|(?:worse|bad|higher|lower|different) price|price (?:was|is) (?:wrong|off)|wick|"
            r"spike",
            r"滑点|价格不对|插针|价格异常|成交价",
        ),
        (
            "stop-loss",
            2.2,
            r"stop[ -]?loss\w{0,2}|stop order|stops?(?= (?:order|was|did|got))|take[ -]?profit|tp ?/ ?sl",
            r"止损|止盈",
        ),
        (
            "liquidation",
            2.2,
            r"liquidat\w{0,4}|margin call\w?|wiped out|blew up|force[ -]?clos\w{0,3}",
            r"爆仓|强平|强制平仓|穿仓|清算",
        ),
        (
            "position",
            1.5,
            r"positions?|leverage\w?|margin|futures|perp\w{0,7}",
            r"仓位|持仓|平仓|开仓|杠杆|合约|保证金|多单|空单|永续",
        ),
        ("funding-fee", 2.3, r"funding (?:rate|fee|payment)s?", r"资金费"),
        (
            "fee",
            1.7,
            r"fees?|charge[ds]?|commission\w?|cost me|overcharged|deducted",
            r"手续费|费用|收费|扣费|扣了|费率|多扣",
        ),
        ("api", 1.7, r"apis?|endpoints?|rest api", r"接口"),
        ("api-key", 1.9, r"(?:api|secret|access) ?keys?|keys?", r"密钥|秘钥"),
        ("signature-error", 2.2, r"signatures?|hmac|sign(?:ing)? (?:the )?(?:request|payload)", r"签名"),
        (
            "timestamp",
            2.3,
            r"timestamps?|recvwindow|recv window|clock|out of sync|time sync",
            r"时间戳|时钟|对时|时间同步",
        ),
        (
            "rate-limit",
            2.2,
            r"rate[ -]?limit\w{0,3}|too many requests|429|throttl\w{0,4}|ip ban\w{0,3}",
            r"限频|频率限制|请求过多|限流",
        ),
        (
            "websocket",
            2.2,
            r"web ?sockets?|ws|wss|streams?|disconnect\w{0,4}|drops? (?:the )?connection|connection (?:drops|dies|"
            r"lost|closed)",
            r"断连|断线|推送|长连接|掉线",
        ),
        ("permission", 2.0, r"permissions?|403|forbidden|not authori[sz]ed|-2015|scopes?", r"权限"),
        (
            "ip-whitelist",
            2.1,
            r"ip (?:address(?:es)? )?(?:white|allow)[ -]?list\w{0,3}|(?:white|allow)[ -]?list\w{0,3}|trusted ip",
            r"白名单",
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
            "identity",
            1.3,
            r"kyc|identit\w{1,3}|verif(?:y|ied|ication|ying)\b.{0,20}(?:level|document|id|account|identity)?|aml",
            r"实名|身份|认证",
        ),
        (
            "document",
            1.6,
            r"passports?|id card\w?|driv\w{2,4}'?s? licen[cs]e|documents?|papers|national id|residence permit|"
            r"id photo",
            r"护照|身份证|驾照|驾驶证|证件|证明文件|居留",
        ),
        ("face-check", 2.1, r"selfies?|face|facial|liveness|camera|blink\w{0,3}", r"人脸|自拍|活体|摄像头|刷脸|手持"),
        (
            "proof-of-address",
            2.2,
            r"proof of (?:address|residence)|utility bill|bank statement|address proof|electricity bill|tenancy",
            r"地址证明|水电费|账单证明|居住证明|银行流水",
        ),
        (
            "source-of-funds",
            2.3,
            r"source of (?:funds|wealth|income)|where (?:the|my) money c\w{2,4} from",
            r"资金来源|财富来源|收入证明",
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
            _NOT + r"\W.{0,30}(?:arriv|receiv|recieve|credit|show|appear|land|reach|reflect|turn(?:ed)? up|"
            r"in my (?:account|wallet|balance)|there|come through|came)\w{0,4}|missing|where (?:is|are|did)|"
            r"nowhere|gone|lost|disappeared|vanished|not (?:yet )?credited",
            r"没到|未到|没有到|不到账|没收到|未收到|没有收到|不见了|没入账|未入账|消失|丢了|没看到|还没有?显示|"
            r"少了|没有入账|没上账|查不到",
        ),
        (
            "wrong-network",
            2.1,
            r"wrong (?:network|chain|blockchain)|(?:instead of|rather than) (?:the )?(?:erc|trc|bep|bsc|tron|eth|"
            r"polygon)\w{0,8}|different (?:network|chain)|network mismatch",
            r"错链|选错(?:了)?(?:网络|链)|链选错|网络选错|充错|转错|错误的?网络|提错",
        ),
        ("memo", 2.3, r"memos?|destination tags?|dest tag|tags?", r"标签|备注"),
        (
            "wrong-address",
            2.1,
            r"wrong (?:wallet |deposit |withdrawal |receiving )?address|(?:typo|mistake) in the address|"
            r"old (?:deposit )?address|someone else's (?:address|wallet)",
            r"地址(?:填|写|输|粘贴|复制)?错|错误的?地址|填错(?:了)?地址|旧地址|地址不对",
        ),
        (
            "confirmed-on-chain",
            1.3,
            r"confirm(?:ed|ations?|s)|explorer|block ?chain|etherscan|tronscan|on[ -]chain|blocks?",
            r"区块|确认数|链上|浏览器|已确认|个确认|哈希",
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
            "p2p",
            2.2,
            r"p2p|peer[ -]to[ -]peer|sellers?|buyers?|counterparty|merchants?|escrow|appeal\w{0,3}",
            r"卖家|买家|商家|放币|申诉|对方",
        ),
        ("balance", 1.5, r"balances?|assets?|portfolio", r"余额|资产"),
        (
            "address-whitelist",
            2.1,
            r"address (?:book|white ?list)|(?:add|save|adding|saving) .{0,20}address|withdrawal address",
            r"地址簿|提币地址|提现地址|添加地址",
        ),
        (
            "limit",
            1.9,
            r"(?:daily|monthly|withdrawal|deposit|transfer|trading|purchase) limits?|limits? (?:increase|raise)|"
            r"maximum|raise .{0,15}limit|minimum|cap",
            r"限额|额度|上限|最低|最小",
        ),
        (
            "staking",
            2.3,
            r"stak(?:e|ed|ing)|unstak(?:e|ed|ing)|earn|savings|yield|apy|rewards?|redeem\w{0,3}|interest",
            r"质押|理财|赎回|利息|收益|定期|活期|锁仓",
        ),
        (
            "bonus",
            2.3,
            r"bonus\w{0,2}|vouchers?|coupons?|promo\w{0,6}|campaigns?|airdrops?|referral\w?|invit(?:e|ation)\w?|"
            r"cashback|welcome gift",
            r"奖励|红包|优惠|活动|空投|邀请|返佣|体验金|赠金|返现|卡券",
        ),
        (
            "tax",
            2.4,
            r"tax\w{0,4}|statements?|export\w{0,3}|csv|transaction history|annual report|"
            r"records? for (?:my )?accountant",
            r"报税|税务|税|对账单|导出|账单|流水|交易记录",
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
            r"crash\w{0,3}|freezes|blank (?:page|screen)|white screen|black screen|keeps closing|won't (?:open|"
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
        ("subaccount", 2.3, r"sub[ -]?accounts?", r"子账"),
        (
            "convert",
            2.0,
            r"convert\w{0,3}|conversion|swap\w{0,4}",
            r"闪兑|兑换|换成",
        ),
        ("listing", 2.4, r"list(?:ing)?(?= )|delist\w{0,3}|new coin|new token", r"上币|上线|下架|下币"),
        (
            "bot",
            2.2,
            r"grid|grid bots?|trading bots?|copy[ -]?trad\w{0,3}|strateg\w{1,3}",
            r"网格|跟单|机器人|策略|量化",
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
            r"refund\w{0,3}|money back|reimburs\w{1,5}|compensat\w{1,4}|give (?:me )?back|return (?:my|"
            r"the) (?:money|coins|funds)",
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
        (
            "buy",
            1.2,
            r"buy(?:ing|s)?|bought|purchas\w{1,3}",
            r"买入|买了|购买|买币|限价买|市价买",
        ),
        ("sell", 1.2, r"sell(?:ing|s)?|sold|sale", r"卖出|卖了|出售|卖币|限价卖|市价卖"),
        ("long", 1.5, r"long(?! (?:time|ago|as|before|until|will|do|does|is|it|must|have|should))", r"多单|做多|多仓"),
        ("short", 1.5, r"short(?! (?:time|ly))", r"空单|做空|空仓"),
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
            r"(?:price )?alerts?|notifications?|newsletter|marketing|unsubscribe",
            r"提醒|通知|推广|营销|退订",
        ),
        ("chart", 2.1, r"charts?|candles?|candlesticks?|indicators?", r"k线|图表|蜡烛图|指标"),
        ("display", 1.8, r"dark mode|colou?rs?|font|theme|layout", r"颜色|红涨|夜间模式|深色|字体|主题"),
        ("ranking", 2.3, r"competition|contest|leaderboard|ranking|tournament", r"大赛|排名|榜|竞赛"),
        (
            "certificate",
            2.1,
            r"certificate|confirmation letter|proof of (?:balance|holdings|trad\w{1,4})",
            r"证明|存证|开具",
        ),
        ("expired", 1.9, r"expir\w{2,4}|out of date|older than", r"过期|到期|失效"),
        ("blocked-bank", 2.2, r"(?:bank|card) .{0,20}(?:frozen|blocked|closed)", r"(?:银行卡|卡)被?(?:司法)?冻结"),
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
            r"法人|法定代表人|交易员|经办人|授权人",
        ),
        ("testnet", 2.3, r"testnet|sandbox|demo account|paper trading", r"测试网|模拟盘|沙盒"),
        ("history", 1.7, r"histor(?:y|ical)|past data|tick data|bulk download|archive", r"历史|往年|去年"),
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
            r"添加|新增|开设|申请开|创建|加一个|申购",
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
        (
            "redeem",
            1.9,
            r"redeem\w{0,3}|redemption|unstak\w{1,3}|taken? out of (?:savings|earn)",
            r"赎回|解除质押|取出理财",
        ),
        ("rate", 1.7, r"apr|apy|interest rate|percent(?:age)?|yield", r"年化|利率|收益率|汇率"),
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
            r"slow(?:ly|er)?|late(?:r)?|delay\w{0,3}|latency|lag(?:s|ging|gy)?|takes (?:too )?long",
            r"慢|延迟|卡顿|迟",
        ),
        (
            "mistake",
            1.6,
            r"by mistake|by accident|accidental\w{0,2}|wrongly|mistyped|mixed up|typo",
            r"误操作|不小心|弄错|搞错|失误",
        ),
        # ordinary commerce
        (
            "delivery",
            1.8,
            r"deliver\w{0,5}|shipp?(?:ed|ing|ment)|parcel|package|courier|tracking",
            r"快递|物流|发货|包裹|配送|派送|运单|送货",
        ),
        ("invoice", 2.1, r"invoices?|receipts?|billing|vat", r"发票|收据|开票"),
        ("subscription", 2.1, r"subscri\w{2,8}|membership|renew\w{0,4}|premium", r"会员|订阅|续费|套餐"),
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
)

# What happened or is wanted, as against the thing it happened to.
DEEDS: frozenset[str] = frozenset(
    (
        *(
            "not-arrived",
            "cancel",
            "not-filled",
            "wrong-price",
            "liquidation",
            "locked",
            "rejected",
            "under-review",
            "crash",
        ),
        *(
            "wrong-network",
            "wrong-address",
            "reset",
            "refund",
            "recover",
            "duplicate-charge",
            "data-wrong",
            "fee",
            "limit",
        ),
        *("expired", "broken", "hacked", "phishing", "name-change", "address-change", "email-change", "upgrade", "add"),
        *("price-question", "register", "close-account", "remove", "button", "less-than-due", "redeem", "rate", "ban"),
        *(
            "consumable",
            "server-error",
            "rate-limit",
            "signature-error",
            "timestamp",
            "convert",
            "listing",
            "reschedule",
        ),
        *(
            "return",
            "permission",
            "ip-whitelist",
            "address-whitelist",
            "slow",
            "mistake",
            "change",
            "complaint",
            "memo",
        ),
        *("code-not-received", "stop-loss", "funding-fee", "confirmed-on-chain"),
    )
)

WEIGHTS: dict[str, float] = {concept.name: concept.weight for concept in _LEXICON}
