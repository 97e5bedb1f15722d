"""The categories of the built-in trade: what a trading exchange's help desk is asked about, in English and Chinese.

It holds while the configuration names no [[category]]. Words are matched in simplified Chinese whatever script a mail
uses (`words.folded`), so each Chinese word stands here once. Patterns see folded text: lower case, simplified.
Categories and fields are made unchecked, since checking their patterns took a tenth of a second; a test does it.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailticket.settings import Category, FieldRule


def _listed(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


# Tickers that are no words of everyday language may stand in any case; the others only in capitals.
_TICKERS = (
    "btc|xbt|eth|usdt|usdc|busd|fdusd|bnb|xrp|doge|ltc|bch|trx|xmr|etc(?=币)|shib|matic|avax|atom|xlm|eos|okb|dai|tusd|"
    "aave|fil|icp|algo|vet|theta|ftm|arb|pepe|wbtc|steth|"
    "bitcoins?|ethereum|ether|tether|litecoin|dogecoin|ripple|solana|cardano|polkadot|monero|tron|toncoin|shiba|chainlink|"
    "比特[币幣]|以太[坊币幣]|泰[达達][币幣]|莱特币|萊特幣|狗狗[币幣]|瑞波[币幣]|索拉[纳納]|波卡|艾达币|柴犬[币幣]"
)
_CAPITALS = "(?-i:SOL|ADA|DOT|LINK|UNI|NEAR|TON|OP|APT|SUI|SEI|INJ|GRT|CRV|MKR|SAND|MANA|APE|WLD|ETC|POL|SAND|ORDI)"
_COIN = rf"(?:{_TICKERS}|{_CAPITALS})"
_MONEY = (
    r"(?:usd|eur|gbp|cny|rmb|hkd|twd|dollars?|euros?|pounds?|yuan|"
    r"美元|美金|人民[币幣]|[元刀]|[块塊][钱錢]|港[币幣]|台[币幣]|[枚颗顆])"
)
_NUMBER = r"\d[\d,]{0,18}(?:\.\d{1,18})?"
_CHINESE_NUMBER = "[〇零一二两兩三四五六七八九十百千][〇零一二两兩三四五六七八九十百千万萬亿億]{0,12}"
# "U" is what Chinese traders call USDT; it counts only behind a number.
_U = r"(?-i:[Uu])(?![0-9A-Za-z])"
_NO_WORD_BEFORE = r"(?<![0-9A-Za-z])"
_NO_WORD_AFTER = r"(?![0-9A-Za-z])"
_DIGIT = r"\d"
_HEX = "(?-i:[0-9A-Fa-f])"
_LATIN = "[0-9A-Za-z]"
_BASE58 = "[1-9A-HJ-NP-Za-km-z]"


def _first(symbols: str, not_before: str) -> str:
    """One of some symbols, with none of others before it. The look behind follows, since the search for a pattern that
    begins with symbols skips to them."""
    return f"{symbols}(?<!{not_before}{symbols})"


# What may stand between the name of a detail and its value: "order no. is #123", "订单号是：123".
_GAP = r"\s{0,3}(?:is|was|are|=|是|为|為|[:：])?\s{0,3}[#\[(「【]?\s?"
_CODE = r"(?=[A-Z_-]{0,12}\d)[A-Z0-9][A-Z0-9_-]{3,39}"
# The same in the midst of a sentence: "the order (no. 8841)", "my account with the number 4711223".
_LOOSE_GAP = r"(?:,?[\s(（]{1,3}(?:with|the|number|num|no|nr|id|is|was)\b\.?){0,4}[\s:：#,，(（]{0,3}"
_COUNTED = (
    rf"(?!\d|[.,:/-]\d|\s?(?:{_COIN}|{_MONEY}|{_U}|coins?\b|tokens?\b|shares?\b|pieces?\b|units?\b|contracts?\b|lots?\b|"
    r"times?\b|days?\b|people\b|percent\b|[%％]|[人名位次天个個年月]))"
)
_NO_DATE = r"(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d))"

# Where coins come from or go to: other exchanges and wallets.
_OTHER_PLACES = (
    r"(?:metamask|trust ?wallet|robinhood|coinbase|binance|kraken|ledger|trezor|exodus|phantom|okx|bybit|kucoin|"
    r"coinomi|"
    r"electrum|bitfinex|other exchange)"
)

_TXID = FieldRule.model_construct(
    name="txid",
    patterns=(
        rf"({_first(_HEX, _LATIN)}(?:(?<=0)x[0-9a-f]{{64}}|[0-9a-f]{{63}})){_NO_WORD_AFTER}",
        r"(?:txid|hash)((?:0x)?[0-9a-f]{64})" + _NO_WORD_AFTER,
        # Solana: a base 58 signature of 64 bytes.
        rf"(?-i:({_first(_BASE58, _LATIN)}{_BASE58}{{85,87}})){_NO_WORD_AFTER}",
    ),
    labels={"en": "transaction ID (TXID)", "zh-Hans": "交易哈希（TXID）", "zh-Hant": "交易雜湊（TXID）"},
)
_ORDER_ID = FieldRule.model_construct(
    name="order_id",
    patterns=(
        r"\b(?:order|trade|withdrawal|deposit|payment)s?\s{0,2}(?:ids?|no\.?|nos\.?|numbers?|num|ref(?:erence)?|#)"
        + _GAP
        + rf"({_CODE}){_NO_WORD_AFTER}",
        r"\b(?:order|trade)s?\s{0,2}#\s?(\d{3,20})" + _NO_WORD_AFTER,
        rf"\b(?:order|trade)s?{_LOOSE_GAP}((?=[A-Z-]{{0,6}}\d{{4}})[A-Z0-9-]{{6,40}}){_NO_WORD_AFTER}{_COUNTED}",
        r"\b(?:my|our|the|this|that|about|cancel|regarding|for|of) order"
        rf"{_LOOSE_GAP}(\d{{4,5}}){_NO_WORD_AFTER}{_COUNTED}",
        r"\b(?:withdrawal|deposit|payment|payout)s?\s(?:no\.?\s|[#(]\s?)?"
        rf"({_NO_DATE}(?:(?=[A-Z-]{{1,6}}\d{{4}})[A-Z0-9-]{{6,40}}|(?!\d{{0,16}}0000\b)\d{{7,20}}))"
        rf"{_NO_WORD_AFTER}{_COUNTED}",
        r"(?:[订訂][单單]|委托[单單]?|委託[單单]?|交易[单單]?|提[现現幣币][单單]?|充值[单單]?|流水|"
        r"[单單])\s?(?:[号號]碼?码?|[编編][号號]|id)" + _GAP + rf"({_CODE}){_NO_WORD_AFTER}",
        rf"(?:[订訂][单單]|委[托託][单單]?|(?:提[现現幣币]|充值)[单單])\s?[#:：（(]?\s?((?=[A-Z-]{{0,6}}\d{{4}})[A-Z0-9-]{{6,40}})"
        rf"{_NO_WORD_AFTER}{_COUNTED}",
    ),
    labels={"en": "order ID", "zh-Hans": "订单号", "zh-Hant": "訂單號"},
)
_ACCOUNT_ID = FieldRule.model_construct(
    name="account_id",
    kind="account",
    patterns=(
        r"\b(?:uid|user\s?(?:id|no\.?|number)|(?:account|acct?|member|customer|client)(?:ship)?\s?(?:id|no\.?|"
        r"number|num|#))" + _GAP + rf"((?=[A-Z_-]{{0,8}}\d)[A-Z0-9_-]{{4,24}}){_NO_WORD_AFTER}",
        rf"\b(?:account|user|uid|client|customer|member|my id){_LOOSE_GAP}"
        rf"({_NO_DATE}\d{{5,14}}){_NO_WORD_AFTER}{_COUNTED}",
        r"(?:uid|用[户戶]\s?(?:id|[编編]?[号號]码?碼?)|[会會][员員]\s?(?:id|[编編]?[号號])|客[户戶][编編]?[号號]|"
        r"[账帳帐賬](?:[户戶])?\s?(?:id|[编編]?[号號]码?碼?))\s?(?:id|uid)?"
        + _GAP
        + rf"((?=[A-Z_-]{{0,8}}\d)[A-Z0-9_-]{{4,24}}){_NO_WORD_AFTER}",
        r"(?:[账帳帐賬][户戶]|用[户戶]|[会會][员員]|客[户戶]|我的\s?id)\s?(?:是|为|為)?[\s:：#,，(（]{0,3}"
        rf"({_NO_DATE}\d{{5,14}}){_NO_WORD_AFTER}{_COUNTED}",
    ),
    labels={"en": "account ID (UID)", "zh-Hans": "账户 ID（UID）", "zh-Hant": "帳戶 ID（UID）"},
)
_NETWORK = FieldRule.model_construct(
    name="network",
    kind="choice",
    patterns=(
        _NO_WORD_BEFORE
        + r"(trc-?\s?20|erc-?\s?20|bep-?\s?20|bep-?2|spl|bsc|bnb (?:smart )?chain|binance smart chain)"
        + _NO_WORD_AFTER,
        _NO_WORD_BEFORE
        + r"(arbitrum(?: one)?|optimism|polygon|avalanche(?: c-chain)?|lightning|tron|solana|ethereum|bitcoin|"
        r"btc|eth|sol|trx|matic|avax)"
        r"[ -]?(?:network|mainnet|chain|main net|公?[链鏈鍊]|主?[网網][络絡]?)",
        _NO_WORD_BEFORE + r"(arbitrum(?: one)?|optimism|polygon|avalanche c-chain|lightning)" + _NO_WORD_AFTER,
        r"(?:network|chain|[网網][络絡]|公?[链鏈])\s?(?:is|was|[:：是为為])\s?([a-z0-9-]{3,12})" + _NO_WORD_AFTER,
        r"(波[场場]|[币幣]安智能[链鏈]|[闪閃][电電]|以太坊(?=[网網链鏈主公]))",
    ),
    labels={"en": "network", "zh-Hans": "网络（链）", "zh-Hant": "網路（鏈）"},
)
_COIN_FIELD = FieldRule.model_construct(
    name="coin",
    kind="choice",
    patterns=(
        rf"(?<![A-Za-z])({_COIN}){_NO_WORD_AFTER}",
        rf"(?:\d|[万萬千百十个個])\s?({_U})",
    ),
    labels={"en": "coin", "zh-Hans": "币种", "zh-Hant": "幣種"},
)
_AMOUNT = FieldRule.model_construct(
    name="amount",
    kind="amount",
    patterns=(
        # No unit begins with a digit, so nothing of a number is ever given back.
        rf"({_first(_DIGIT, '[0-9A-Za-z.,]')}[\d,]{{0,18}}+(?:\.\d{{1,18}}+)?+\s?[k万萬千]?)\s?(?:个|個|枚|多)?\s?"
        rf"(?:{_COIN}|{_MONEY}|{_U})(?![A-Za-z0-9])",
        rf"({_CHINESE_NUMBER})(?:多|来|來)?\s?(?:个|個|枚)?\s?(?:{_COIN}|{_MONEY}|{_U}|[块塊])(?![A-Za-z0-9])",
        rf"[$€£¥￥]\s?({_NUMBER}\s?[k万萬]?)(?![0-9A-Za-z])",
        # The digit is looked for first: trying each coin at each word costs more.
        rf"(?<![A-Za-z])(?=[^\W\d_]{{2,10}}\s?[:：]?\s?\d){_COIN}\s?[:：]?\s?({_NUMBER})(?![\d.,:/年月日天小时時%％-])",
        rf"(?:amount|quantity|sum|value|金[额額]|[数數]量|[数數][额額])\s{{0,2}}(?:is|was|of|=|是|为|為|"
        rf"[:：])?\s{{0,2}}"
        rf"[$€£¥￥]?({_NUMBER})(?![\d:/-])",
    ),
    labels={"en": "amount", "zh-Hans": "金额", "zh-Hant": "金額"},
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_CLOCK = r"(?:[ ,，t]{0,2}\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b)?)?"
_TIME = FieldRule.model_construct(
    name="time",
    kind="time",
    patterns=(
        rf"({_first(_DIGIT, '[0-9A-Za-z-]')}\d{{3}}\s?[-/.年]\s?\d{{1,2}}\s?[-/.月]\s?\d{{1,2}}(?!\d)\s?[日号號]?"
        rf"{_CLOCK})",
        rf"({_first(_DIGIT, '[0-9A-Za-z年]')}\d?\s?月\s?\d{{1,2}}\s?[日号號]?{_CLOCK})",
        rf"({_first(_DIGIT, '[0-9A-Za-z./-]')}\d?[-/.]\d{{1,2}}[-/.]\d{{4}}(?!\d){_CLOCK})",
        rf"({_first(_DIGIT, _LATIN)}\d?(?:st|nd|rd|th)?(?: of)?[ -]{_MONTH}(?![a-z])\.?,?(?:[ -]\d{{4}})?{_CLOCK})",
        rf"\b({_MONTH}\.?\s\d{{1,2}}(?:st|nd|rd|th)?(?![0-9])(?:,?\s\d{{4}})?{_CLOCK})",
        rf"({_first(_DIGIT, '[0-9:月日号號 ]')}\d?:\d{{2}}(?::\d{{2}})?(?:\s?[ap]\.?m\b)?)(?![0-9:])",
        rf"({_first(_DIGIT, '[0-9:.]')}\d?\s?[ap]\.?m)\b",
        r"\b(yesterday|today|this (?:morning|afternoon|evening)|last (?:night|week|month|(?:mon|tues|wednes|thurs|"
        r"fri|satur|sun)day)|"
        r"on (?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:\d{1,3}|an|two|three|few|several) (?:minute|hour|day|"
        r"week|month)s? ago|tonight)\b",
        r"(昨[天日晚夜]|今[天日早晚晨]|前[天日晚]|上[个個]?[周週月](?:[一二三四五六日末])?|[刚剛]才|大前天|"
        r"(?:\d{1,3}|[一两兩二三四五六七八九十半几幾])\s?[个個]?(?:小[时時]|分[钟鐘]|天|[周週]|月|星期|"
        r"[礼禮]拜)(?:之?前|以前))",
        r"((?:上午|下午|晚上|凌晨|早上|中午|傍晚|半夜)\s?(?:\d{1,2}|"
        r"[一二三四五六七八九十]{1,2})\s?[点點时時:：](?:\d{1,2}分?|半)?)",
    ),
    labels={"en": "time of the event", "zh-Hans": "发生时间", "zh-Hant": "發生時間"},
)
_APP_VERSION = FieldRule.model_construct(
    name="app_version",
    kind="note",
    patterns=(
        r"\b(?:app|version|client|ver\.?|build|android|"
        r"ios)\s{0,2}(?:version)?\s{0,2}[:：]?\s?v?(\d{1,3}\.\d{1,4}(?:\.\d{1,5})?(?:\.\d{1,5})?)",
        r"(?:版本[号號]?|客[户戶]端)\s?(?:是|为|為|[:：])?\s?v?(\d{1,3}\.\d{1,4}(?:\.\d{1,5})?)",
    ),
    labels={"en": "app version", "zh-Hans": "App 版本", "zh-Hant": "App 版本"},
)

FIELDS = (_TXID, _ORDER_ID, _ACCOUNT_ID, _NETWORK, _COIN_FIELD, _AMOUNT, _TIME, _APP_VERSION)

_ACCOUNT_SECURITY = Category.model_construct(
    name="account-security",
    labels={"en": "Account security", "zh-Hans": "账户安全", "zh-Hant": "帳戶安全"},
    priority="urgent",
    needs=("account_id", "time"),
    fields=FIELDS,
    words=_listed(
        """
        sms codes, code, codes, my code, verification codes, change email, change my e-mail,
        change the e-mail address, new laptop, log everyone out, knows my password, stranger, scam site,
        fake site, phishing site, 进入账户, 进不去账户, 收不到验证码, 被人登录, 账号安全, 防钓鱼, login,
        log in, logged in, sign in, signed in, log on, password, passcode, 2fa, two factor, authenticator,
        google authenticator, verification code, sms code, security, hacker, hacked, phishing, scam, scammer,
        stolen, locked, locked out, lockout, unlock, suspicious, unauthorized, unauthorised, unknown device,
        new device, compromised, breach, freeze my account, frozen, account frozen, reset,
        lost my phone, new phone, sim swap, sim, change my email, not me,
        passkey, yubikey, security key, recover, recovery, access to my account, account           suspended,
        disabled, fake support, impersonating, otp, backup codes, captcha, cannot get in, can't get in,
        cant get in, kicked out, session, link i clicked, anti phishing, 登录, 登入, 登陆, 登不上, 登不进,
        进不去, 密码, 口令, 双重验证, 二次验证, 两步验证, 谷歌验证, 验证器, 验证码, 动态码, 短信, 被盗, 盗号,
        被黑, 黑客, 钓鱼, 诈骗, 骗子, 假客服, 冒充, 锁定, 被锁, 解锁, 冻结, 解冻, 异常登录, 陌生设备, 陌生ip,
        异地, 不是我, 不是本人, 手机丢, 换手机, 换了手机, 换号, 旧手机, 绑定, 解绑, 找回,
        重置, 封号, 被封, 账号异常, 账户异常, 泄露, 盗走, 转走, 通行密钥, theft, thief, hijacked,
        intruder, emptied, drained, wrong password, forgot password, password reset, reset link, reset mail,
        login history, logins, block my account, log out, unlocked, hack, malware, virus, keylogger, clicked,
        telegram, whatsapp, pretend, employee, is it genuine, is this mail from you, 改密码, 改了密码,
        解除冻结, 停用账号, 被人改, 木马, 可疑, 诈骗短信, 假网站, 仿冒, 盗用, 新设备, 裝置, 退出登录,
        收不到短信, 短信验证, 忘记密码, 重设, my device, lost device, stolen device, old device, strange device,
        trusted device, change my email address, new email address, old email address, old mailbox, update my email,
        wrong email address, phone number changed, change my phone number, new phone number, old phone number,
        recover access, 换邮箱, 改邮箱, 更换邮箱, 修改邮箱, 旧邮箱, 新邮箱, 邮箱停用, 换手机号, 改手机号, 旧手机号,
        手机号停用, 手机号变更, 旧设备, 未知设备, 登录设备, 账号安全, 账户安全, 资金安全, 验证器恢复
        """
    ),
    patterns=(
        r"(?:some(?:one|body)|they|thie(?:f|ves)|hackers?|stranger|intruder)\s(?:\w{1,10}\s){0,2}(?:got into|"
        r"broke into|access(?:ed)?|emptied|took|stole|logged|moved|changed|drained)",
        r"\bhack(?:ed|er|ers)\b|\bphishing\b|forgot(?:ten)?\s(?:my\s)?password|password\s(?:reset|change)|(?:sms|"
        r"login|2fa|authenticator|email|verification)\s(?:code|mail)s?\s(?:\w{1,10}\s){0,2}(?:not|never|don'?t|"
        r"doesn'?t|didn'?t|invalid|wrong|expired)",
        r"被盗|盗用|盗号|忘记密码|忘了密码|陌生(?:设备|人|ip)|异地登|钓鱼|冒充",
        r"\b(?:was|been|got|is|were|being)\s(?:\w{1,12}\s)?(?:hacked|stolen|compromised|hijacked)",
        r"(?:can'?t|cannot|can ?not|unable to|not able to|couldn'?t|won'?t let me|"
        r"trouble)\s(?:\w{1,10}\s){0,2}(?:log|sign|get)(?:ging|ging|ning|ting)?[ -]?(?:in|into|back in)\b",
        r"(?:lock|freeze|block|secure|disable)\s(?:my|the|this)\saccount",
        r"account\s(?:\w{1,10}\s){0,3}(?:locked|frozen|hacked|suspended|disabled|blocked|banned)",
        r"(?:reset|change|lost|losing|broken|new|old|replace|recover|recovering|restore|disable|remove|"
        r"turn off)\s(?:\w{1,12}\s){0,3}(?:2fa|"
        r"authenticator|password|security key|passkey|email address|phone number|device|access)\b",
        r"(?:账号|账户)[^。！？\n]{0,8}(?:被盗|被黑|锁|冻结|封|异常|被别人|进不去|登不)",
        r"(?:登录|登入|登陆)[^。！？\n]{0,6}(?:不了|不上|不进|失败|异常|提醒)|(?:无法|不能|没法)(?:登录|登入|登陆)",
        r"(?:重置|忘记|忘了|解绑|更换|修改|换绑|丢了?|收不到|丢失)[^。！？\n]{0,8}(?:密码|验证器|谷歌|2fa|手机|"
        r"邮箱|验证码)",
        r"不是我(?:本人)?(?:操作|登|提|弄)|非本人",
    ),
)
_TRADING = Category.model_construct(
    name="trading",
    labels={"en": "Trading", "zh-Hans": "交易", "zh-Hant": "交易"},
    priority="normal",
    needs=("account_id", "order_id", "time"),
    fields=FIELDS,
    words=_listed(
        """
        order book, perpetuals, crypto futures, auto-deleveraging, settlement, fills, open orders,
        trading volume, execution report, vip, pnl, close my position, 标记价, 对账, 成交记录, order, orders,
        trade, trading, limit order, market order, stop loss, stop order, take profit, filled, fill,
        partially filled, executed, execution, slippage, spread, position, leverage, margin, margin call,
        liquidation, liquidated, futures, perpetual, perp, spot, contract, funding rate, funding fee,
        trading fee, maker, taker, buy, bought, sell, sold, long, short, chart, candle, profit, price, wick,
        conversion, convert, swap, grid bot, copy trading, cancel order, pair, mark price, auto deleverag,
        订单, 委托, 挂单, 下单, 撤单, 成交, 限价, 市价, 止损, 止盈, 仓位, 持仓, 开仓, 平仓, 爆仓, 强平, 杠杆,
        保证金, 合约, 现货, 永续, 资金费, 手续费, 滑点, 插针, 点差, 做多, 做空, 多单, 空单, 买入, 卖出, 买了,
        卖了, 盈亏, k线, 盘口, 行情, 网格, 跟单, 闪兑, 兑换, 标记价格, 期权, 穿仓, 交易对, 加仓, 减仓
        """
    ),
    patterns=(
        r"\border\s?(?:id|no|number|#|was|is|got|did|didn|has|never|still|not)",
        r"(?:stop[ -]?loss|take[ -]?profit|limit order|market order|margin call|liquidat(?:ed|ion)|order book)",
        r"(?:cancel|place|fill|close|modify|open)(?:ing|ed|l?led)?\s(?:\w{1,10}\s){0,3}(?:orders?|positions?|trades?)",
        r"(?:爆仓|强平|止损|止盈|撤单|撤销|挂单|插针|平仓|穿仓)",
        r"(?:订单|委托|挂单|限价单|市价单)[^。！？\n]{0,10}(?:没|未|不|成交|撤|取消|失败)",
    ),
)
_DEPOSIT = Category.model_construct(
    name="deposit",
    labels={"en": "Deposits", "zh-Hans": "充值", "zh-Hant": "充值"},
    priority="high",
    needs=("account_id", "txid"),
    fields=FIELDS,
    words=_listed(
        """
        never arrived, not arrived, hasn't arrived, didn't arrive, did not arrive, not come, not showing up,
        send to my wallet, missing coins, my wallet, coins are missing, fund, received nothing, money taken,
        booked, from my bank, not on my   没收到, 没有收到, 进来, 这边没有, 少了, deposit, deposited, top up,
        topup, topped up, credited, not credited, incoming, memo, tag, destination tag, wrong network,
        wrong chain, confirmations, sent to your, sent to my, transfer to, transferred to, wire transfer,
        bank transfer, sepa, swift, card payment, funding my account, add funds, not showing, transferred,
        deposit address, minimum deposit, on chain, explorer, blockchain, confirmed, arrive, arrived, wallet,
        tx, txid, hash, 充值, 充币, 入金, 冲值, 到账, 未到账, 没到账, 入账, 存款, 转入, 充了, 充进, 打进来,
        转进, 上账, 备注, memo标签, 标签, 充错, 转错, 错链, 区块确认, 确认数, 银行转账, 汇款, 电汇, 余额没,
        没有到, 链上, 转账, 转了, 买币, card, visa, mastercard, credit card, debit card, debited,
        charged twice, double charged, booked on my account, wired, moved, sent you, my transfer, payment,
        bitcoin missing, usdt missing, coins gone, nowhere to be seen, not in my wallet, unsupported token,
        top ups, funded, bank wire, iban deposit, fiat deposit, etherscan, tronscan, 充进来, 转过来,
        打过来, 汇过来, 到你们, 选错网络, 网络选错, 选成, 错网络, 不支持的币, 刷卡, 信用卡, 区块, 浏览器, 入帐,
        充币地址, 充值地址, 存进, 钱没了, 没入账, 未入账, recover coins, recover my coins, recover the coins,
        recover funds, recover my funds, recover the funds, recover my deposit, recover usdt, recover my usdt
        """
    ),
    patterns=(
        r"(?:transfer(?:red)?|moved|sent|topped|wired|loaded)\s.{0,40}(?:into|onto|to)\s(?:you|your|"
        r"the (?:exchange|platform|app|site))\b",
        r"(?:转|提|充|打|汇)(?:了?[^。！？\n]{0,12})?(?:到|进|给)(?:了)?(?:你们|贵|平台|这里|这边)",
        r"(?:选错|选成|错选)[^。！？\n]{0,8}|(?:网络|链)(?:选|搞|弄)?错",
        r"\bdeposit(?:s|ed|ing)?\b",
        r"(?:sent|send|transfer(?:red)?|moved|wired?)\s(?:\w{1,10}\s|"
        r"[\d.,]{1,14}\s){0,4}(?:from\s(?:\w{1,12}\s){1,2})?(?:to|into)\s(?:my|your|the)\s(?:account|exchange|"
        r"platform|wallet|address|deposit)",
        r"(?:hasn'?t|not|never|didn'?t|isn'?t|haven'?t)\s(?:\w{1,10}\s){0,2}(?:credited|landed|booked)",
        rf"from (?:my |the |a )?(?:\w{{1,12}} )?{_OTHER_PLACES}",
        r"(?:wrong|forgot|missing|without|no|omitted)\s(?:\w{1,8}\s){0,3}(?:memo|tag|destination tag)",
        r"充值|充币|入金|充了",
        r"(?:忘|没|未|漏)[^。！？\n]{0,4}(?:memo|标签|备注)",
    ),
)
_WITHDRAWAL = Category.model_construct(
    name="withdrawal",
    labels={"en": "Withdrawals", "zh-Hans": "提现", "zh-Hant": "提現"},
    priority="high",
    needs=("account_id", "coin", "amount", "time"),
    fields=FIELDS,
    words=_listed(
        """
        coins out, out to, send coins out, paying out, cannot withdraw, beneficiary, released, get my money,
        my own money, my own wallet, iban, 提领, 出不来, 到银行, 冷钱包, withdraw, withdrew, withdrawal,
        withdrawl, withdrawing, cash out, cashout, payout, send out, outgoing, withdrawal fee,
        withdrawal limit, daily limit, whitelist, address book, pending, processing, under review,
        take my money out, get my money out, my bank, bank account, cancel withdrawal, move my coins out,
        transfer out, 提现, 提币, 提款, 出金, 取款, 取钱, 提出, 提到, 提走, 提不了, 提不出, 转出, 打款, 出款,
        提现地址, 白名单, 提币地址, 提现手续费, 提现额度, 限额, 审核中, 处理中, 待处理, 提币审核, payouts,
        cap on withdrawals, sent out, left your exchange, left my account, not reached my bank,
        unsupported address, destination address, external wallet, cold storage, own wallet,
        stuck in processing, awaiting approval, on hold, approve, approval, suspended withdrawals, move out,
        get out, take out, 提不动, 提出来, 取出, 取不出来, 放行, 催提现, 提现失败, 提现成功, 打到卡, 打到银行,
        汇到, 入帳銀行, 出不了金, 钱包没收到, 对方没收到, took out, taken out, moved out, moved my coins out,
        sending out, left your platform, from your exchange, from your platform, from the exchange, 从你们平台转,
        从平台转, 从你们转, 从你们这里转, 从交易所转
        """
    ),
    patterns=(
        r"\bwithdr[ae]w(?:s|n|l|al|als|ls|ing)?\b",
        r"(?:cash(?:ing)? out|payout|(?:get|take|pull)(?:ting|ing)?\s(?:my|our|the)\s(?:money|funds|coins)\s(?:out|"
        r"off))",
        rf"to (?:my |the |an? )?(?:\w{{1,12}} )?{_OTHER_PLACES}",
        r"(?:to|into|on) (?:my|our|the) (?:own wallet|bank|iban|cold storage|hardware wallet)|(?:funds?|money|"
        r"coins) (?:be )?released?",
        r"提现|提币|提款|提领|出金|提不[了出]|取不出|提了",
        r"(?:提现|提币|提款|提领|出金|转出|提出|提走|提到)[^。！？\n]{0,60}(?:未|没|不)(?:有)?(?:入账|到账|收到|进)",
        r"(?:转|提)(?:到|去|出)(?:我的?)?(?:银行|钱包|冷钱包|外部|卡)",
        # What left and did not arrive speaks of arriving as a deposit does; that it left decides.
        r"\b(?:withdr[ae]w|pay-?outs?\b|paid out|cash(?:ed)? out)[^.!?\n]{0,80}"
        r"(?:\bnot|\bnever|n'?t|\bmissing|\bnothing)|"
        r"\b(?:took|transfer(?:red)?|moved|sent) (?:\S{1,12} ){0,4}?out\b|\bleft your (?:platform|exchange)",
    ),
)
_API = Category.model_construct(
    name="api",
    labels={"en": "API", "zh-Hans": "API", "zh-Hant": "API"},
    priority="normal",
    needs=("account_id", "time"),
    fields=FIELDS,
    words=_listed(
        """
        endpoint, read-only key, api keys, decimals, latency, empty list, stream silent, 延迟, 下单接口, 限流,
        做市, api, api key, api secret, rest, websocket, web socket, ws, rate limit, http, json, signature,
        hmac, timestamp, recvwindow, nonce, sdk, python, script, bot, ip whitelist, permission, permissions,
        request, response, ccxt, fix, sandbox, testnet, postman, header, error code, invalid signature,
        documentation, docs, listenkey, stream, ping, disconnect, disconnects, subaccount, node, curl, webhook,
        接口, 密钥, 签名, 限频, 频率限制, 时间戳, 返回, 报错, 错误码, 文档, 量化, 机器人, 脚本, 断连, 断线,
        推送, 白名单ip, ip白名单, 权限, 请求, 回测, 订阅, 长连接, 测试网, 调用, historical data, tick data,
        market data, bulk download, colocation, matching engine, order endpoint, unified account, rate limits,
        ip address whitelist, endpoints, connection, socket, payload, query string, recv window, error -1021,
        error -1022, server time, http 429, http 403, clientorderid, market maker, 历史数据, 行情推送,
        订单接口, 断开, 重连, 限速, 调用频率, 错误代码, 鉴权, 超频, 服务端, 参数
        """
    ),
    patterns=(
        r"\bapi\b|(?<![a-z])api(?![a-z])",
        r"web ?socket|rate[ -]?limit|invalid signature|recvwindow|\bccxt\b|listenkey|/v\d{1,2}/",
        r"(?:签名|时间戳)(?:错误|无效|不对|失败|验证)|限频|(?:返回|报|提示)\s?(?:4\d\d|5\d\d|-\d{4})",
        r"(?:error|code|status|http)\s?(?:code)?\s?:?\s?(?:-\d{4}|4\d\d|5\d\d)\b",
    ),
)
_IDENTITY = Category.model_construct(
    name="identity",
    labels={"en": "Identity checks", "zh-Hans": "身份认证", "zh-Hant": "身分認證"},
    priority="normal",
    needs=("account_id",),
    fields=FIELDS,
    words=_listed(
        """
        questionnaire, origin of my, level 3, kyb, legal name, id document, my id, birth, verification level,
        pass verification, resubmit, 重新上传, 补充材料, 活体检测, 认证失败, 通过认证, kyc, aml, identity,
        identity verification, verify my identity, verify, verified, verification, verification failed,
        passport, id card, driver licence, driver license, driving licence, driving license, selfie, face,
        facial, liveness, liveness check, proof of address, utility bill, bank statement, residence,
        residence permit, document, documents, rejected, upload, photo, name change, my name, surname,
        date of birth, source of funds, source of wealth, compliance, level 2, tier 2, advanced verification,
        nationality, country, id expired, expired, middle name, corporate account, business account, under 18,
        身份, 身份证, 实名, 实名认证, 认证, 高级认证, 初级认证, 护照, 驾照, 驾驶证, 人脸, 人脸识别, 活体, 自拍,
        手持, 证件, 地址证明, 水电费, 账单证明, 资料, 上传, 审核不通过, 未通过, 没通过, 被拒, 驳回, 资金来源,
        合规, 反洗钱, 改名, 姓名, 名字, 出生, 国籍, 照片, kyc认证, 居留, 港澳通行证, 台胞证, 企业认证,
        verified name, wrong name, misspelled, legal representative, image blurry, blurry, scan, photo id,
        national id, id number, residency, moved to, new address, verified address, marriage, married,
        corporate verification, business verification, due diligence, enhanced, payslip, payslips, contract,
        tax residency, politically exposed, age, face check, face verification, blink, 认证进度, 认证审核,
        证件照, 照片模糊, 法人, 营业执照, 机构认证, 个人认证, 二级认证, 三级认证, 名字错, 换证, 工资单,
        收入证明, 人工审核, 刷脸, 臉部, 国籍不支持
        """
    ),
    patterns=(
        r"(?:wrong|legal|verified|misspel\w{1,4}|change (?:of|my)|new)\s(?:\w{1,8}\s)?(?:sur|last |first |"
        r"middle )?name\b",
        r"(?<![a-z])kyc(?![a-z])|(?<![a-z])aml(?![a-z])",
        r"(?:identity|id|document|kyc|passport|face|facial|liveness|address)\s(?:\w{1,10}\s)?(?:verification|check|"
        r"scan|recognition|review)",
        r"(?:passport|selfie|driver'?s? licen[cs]e|driving licen[cs]e|id card|proof of (?:address|residence)|"
        r"source of (?:funds|wealth))",
        r"实名|人脸|(?:身份|高级|初级|中级|企业|个人)(?:认证|验证)|护照|身份证|驾照|地址证明|资金来源|活体",
    ),
)
_OTHER = Category.model_construct(
    name="other",
    labels={"en": "Other", "zh-Hans": "其他", "zh-Hant": "其他"},
    priority="normal",
    words=_listed(
        """
        staking, staked, unstake, earn, savings, rewards, airdrop, bonus, voucher, referral, referred, invited,
        promotion, campaign, competition, nft, listing, list, job, apply, career, cv, press, journalist,
        interview, partnership, cooperate, cooperation, sponsor, sponsoring, affiliate, youtube, complaint,
        complain, rude, feedback, suggestion, feature request, dark mode, language, translation, widget,
        app crashes, crash, crashes, blank page, website, tax, tax report, statement, invoice, receipt, gdpr,
        delete my account, close my account, personal data, newsletter, unsubscribe, marketing, parcel,
        package, courier, tracking number, shipping, delivery, subscription, premium, cake, bread, site,
        licensed, licence, thank you for your help, everything is fine, 理财, 质押, 赎回, 活期, 定期, 利息到,
        奖励, 返佣, 邀请, 空投, 活动, 体验金, 赠金, 红包, 上币, 上线, 下架, 招聘, 应聘, 合作, 媒体, 采访, 赞助,
        投诉, 态度, 建议, 反馈, 闪退, 卡顿, 白屏, 打不开, 网页, 翻译, 语言, 税, 报税, 对账单, 发票, 注销, 销户,
        退订, 快递, 包裹, 办公, 牌照, 广告, csv, export, accountant, transaction history, records,
        refund policy, loyalty, merchandise, conference, intern, security researcher, bug bounty, blog,
        tutorial, course, donation, tablet, sound, font, colour, color, price alert, notification settings,
        timezone, demo, question about your company, licence in, regulated, 导出, 账单, 退款, 商务, 广告投放,
        实习, 公司地址, 是否合规, 在哪个国家, 夜间模式, 深色, 红涨绿跌, 价格提醒, 推送提醒, 教程, 新手, 学习,
        社群, you won a, you won the, you have won, has won, have won, won the, lottery, jackpot, lucky draw,
        lucky winner, lucky user, the winner, prize, prizes, inheritance, next of kin, dear beneficiary, loans,
        loan offer, seo, price list, price lists, fee schedule, quotation, quotations, quote, catalogue, catalogues,
        catalog, terms of delivery, purchase order, best price, lowest price, fixed price, our prices, restore,
        restored, app cannot be restored, recover settings, 中奖, 大奖, 获奖, 领奖, 领取奖, 幸运用户, 报价,
        价目表, 产品目录, 询价, 恢复不了, app恢复
        """
    ),
    patterns=(
        r"(?:will|do|can|when|plan|going)\s(?:\w{1,6}\s){0,3}(?:list|support)\s(?:\w{1,12}\s?){1,3}(?:on spot|"
        r"this year|soon|token|coin)?",
        r"(?:delete|close|terminate|erase)\s(?:\w{1,10}\s){0,3}(?:account|personal data)|(?:app|"
        r"page)\s(?:\w{1,10}\s)?(?:crash|closes|freezes)",
        r"tracking number|tax report|referral bonus|staking rewards?|no longer interested|price lists?\b|"
        r"quotation|catalogue|terms of delivery|lottery|jackpot|inheritance|lucky (?:draw|winner)|"
        r"(?:our|best|lowest) prices?\b|you won (?:a|the)\b",
        r"报税|闪退|注销|销户|邀请.{0,6}奖励|体验金|中奖|大奖|领奖|幸运用户|报价|价目表|恢复不了",
    ),
    fields=FIELDS,
)

CATEGORIES: tuple[Category, ...] = (_ACCOUNT_SECURITY, _TRADING, _DEPOSIT, _WITHDRAWAL, _API, _IDENTITY, _OTHER)


def categories_of(own: Sequence[Category]) -> tuple[Category, ...]:
    """The categories of a configuration; the built-in ones where it has none of its own."""
    return tuple(own) or CATEGORIES
