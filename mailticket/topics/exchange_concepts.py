"""How the exchange's matters are worded, which exclude each other, and what its requesters' words are worth.

They join the general ones of `likeness`; a wording under a general concept's name adds to that concept.
"""

from __future__ import annotations

from mailticket.likeness.concepts import NOT, Wording
from mailticket.likeness.followup_phrases import TradeNouns

WORDINGS: tuple[Wording, ...] = (
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
        "not-filled",
        1.9,
        r"(?:un|not |n't |never |partially |half |only part\w{0,4} )(?:been |get |got |be )?(?:fill\w{0,3}|"
        r"execut\w{0,4}|trigger\w{0,3}|match\w{0,3})|no fill|"
        r"(?:stop|order|stop[ -]loss|limit)s? (?:just |simply )?(?:did ?n[o']t|never|was ?n[o']t|"
        r"not) (?:work|go off|hit)\w{0,3}|"
        r"(?:skipped|ignored|jumped over) (?:my|the) (?:stop|order|limit)\w{0,5}|(?:my|the) (?:stop|"
        r"order)\w{0,5} .{0,20}(?:was|got) "
        r"(?:skipped|ignored)",
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
        r"liquidat\w{0,4}|margin call\w?|wiped out|(?:blew|blow|blown) up|rekt|(?:lost|closed|"
        r"killed) my (?:whole )?position|force[ -]?clos\w{0,3}",
        r"爆仓|爆了|爆.{0,4}仓|强平|仓(?:位)?(?:全)?没了|强制平仓|穿仓|清算",
    ),
    (
        "position",
        1.5,
        r"positions?|leverage\w?|margin|futures|perp\w{0,7}",
        r"仓位|持仓|平仓|开仓|杠杆|合约|保证金|多单|空单|永续",
    ),
    ("funding-fee", 2.3, r"funding (?:rate|fee|payment)s?", r"资金费"),
    ("api", 1.7, r"apis?|endpoints?|rest api", r"接口"),
    ("api-key", 1.9, r"(?:api|secret|access) ?keys?|keys?(?! ?card)", r"密钥|秘钥"),
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
        "identity",
        1.3,
        r"kyc|identit\w{1,3}|verif(?:y|ied|ication|ying)\b.{0,20}(?:level|document|id|account|identity)?|aml",
        r"实名|身份|认证",
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
        "wrong-network",
        2.1,
        r"wrong (?:network|chain|blockchain)|(?:instead of|rather than) (?:the )?(?:erc|trc|bep|bsc|tron|eth|"
        r"polygon)\w{0,8}|different (?:network|chain)|network mismatch",
        r"错链|选错(?:了)?(?:网络|链)|链选错|网络选错|充错|转错|错误的?网络|提错",
    ),
    ("memo", 2.3, r"memos?|destination tags?|dest tag|(?<!guten )tags?", r"标签|备注"),
    (
        "confirmed-on-chain",
        1.3,
        r"confirm(?:ed|ations?|s)|explorer|block ?chain|etherscan|tronscan|on[ -]chain|blocks?",
        r"区块|确认数|链上|浏览器|已确认|个确认|哈希",
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
        r"stak(?:e|ed|ing)|unstak(?:e|ed|ing)|earn|(?:flexible|fixed|locked|my|"
        r"simple) savings(?= (?:product|plan|account|position|order))|savings product\w?|yield|apy|rewards?|"
        r"redeem\w{0,3}|interest",
        r"质押|理财|赎回|利息|收益|定期|活期|锁仓",
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
        "buy",
        1.2,
        r"buy(?:ing|s)?|bought|purchas\w{1,3}",
        r"买入|买了|购买|买币|限价买|市价买",
    ),
    ("sell", 1.2, r"sell(?:ing|s)?|sold|sale", r"卖出|卖了|出售|卖币|限价卖|市价卖"),
    ("long", 1.5, r"long(?! (?:time|ago|as|before|until|will|do|does|is|it|must|have|should))", r"多单|做多|多仓"),
    ("short", 1.5, r"short(?! (?:time|ly))", r"空单|做空|空仓"),
    ("chart", 2.1, r"charts?|candles?|candlesticks?|indicators?", r"k线|图表|蜡烛图|指标"),
    ("ranking", 2.3, r"competition|contest|leaderboard|ranking|tournament", r"大赛|排名|榜|竞赛"),
    ("blocked-bank", 2.2, r"(?:bank|card) .{0,20}(?:frozen|blocked|closed)", r"(?:银行卡|卡)被?(?:司法)?冻结"),
    ("testnet", 2.3, r"testnet|sandbox|demo account|paper trading", r"测试网|模拟盘|沙盒"),
    (
        "redeem",
        1.9,
        r"redeem\w{0,3}|redemption|unstak\w{1,3}|taken? out of (?:savings|earn)",
        r"赎回|解除质押|取出理财",
    ),
    ("rate", 1.7, r"apr|apy|interest rate|percent(?:age)?|yield", r"年化|利率|收益率|汇率"),
    # what an exchange adds to general concepts
    (
        "not-arrived",
        1.1,
        NOT + r"\W.{0,30}(?:credit|reflect|in my (?:wallet|balance))\w{0,4}|not (?:yet )?(?:credited|booked)|"
        r"(?:don't|do not|cannot|can't) (?:i )?see (?:it|them|the money)",
        r"不到账|没入账|未入账|没有入账|没上账",
    ),
    (
        "wrong-address",
        2.1,
        r"wrong (?:wallet|deposit|withdrawal) address|old deposit address|someone else's wallet",
        "",
    ),
    ("order", 0.9, "", r"委托|挂单|限价单|市价单"),
    ("cancel", 1.5, "", r"撤单"),
    ("refund", 1.9, r"return (?:my|the) (?:coins|funds)", ""),
    ("bonus", 2.3, r"airdrops?", r"空投|返佣|体验金|赠金"),
    ("tax", 2.4, r"transaction history", r"交易记录"),
    ("display", 1.8, "", r"红涨"),
    ("hacked", 2.0, r"(?:took|taking|moved|moving|stealing|steals?) my coins", ""),
    ("certificate", 2.1, r"proof of (?:balance|holdings|trad\w{1,4})", ""),
    ("person", 1.9, "", r"交易员"),
    ("history", 1.7, r"tick data|bulk download", ""),
    ("add", 1.3, "", r"申购"),
)

DEEDS: frozenset[str] = frozenset(
    """
    not-filled wrong-price liquidation wrong-network limit redeem rate rate-limit signature-error timestamp
    convert listing permission ip-whitelist address-whitelist memo stop-loss funding-fee confirmed-on-chain
    """.split()  # noqa: SIM905 - a list of words reads as words
)

OPPOSITES = (("deposit", "withdrawal"), ("buy", "sell"), ("long", "short"))

# The share of mails to an exchange in which its own words occur, as `likeness.frequencies` lists general ones.
COMMON = {
    0.2: "fund coin transaction platform exchange crypto wallet balance trade deposit withdrawal uid",
    0.15: "充值 提现 到账 交易 平台 转账 钱包 区块 链上 易所 哈希 币种 充了 提了 资金 资产 的币",
    0.08: "bitcoin btc usdt eth ethereum network txid hash tx blockchain chain position market kyc api",
}

# Wallet addresses serve many transactions.
VOLATILE = r"0x[0-9a-f]{40}|(?:bc1|tb1|addr1)[0-9a-z]{20,90}|t[1-9a-z]{33}|[13][1-9a-z]{25,34}|r[1-9a-z]{24,34}"

NOUNS = TradeNouns(
    things=("deposit", "withdrawal", "tx", "trade", "position", "充值", "提现"),
    codes=("txid", "hash", "uid", "哈希"),
    repeated=("充了?一?", "提了?一?"),
    mishaps=("爆仓",),
    subjects=("staked", "sub-?accounts?"),
    asked=("volume", "network"),
)
