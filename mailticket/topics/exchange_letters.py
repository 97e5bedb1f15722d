"""What letters of a trading exchange's help desk say beside what all letters say, in English and Chinese. Pure data.

It holds while the configuration names no [[category]]; each key of [letters] that is given replaces its own here.
It is made unchecked, since each command would wait for that; a test does it.
"""

from __future__ import annotations

from mailticket.settings import LetterSample, LettersText

_API_KEY = {
    "en": "API key or secret: delete it and create a new one.",
    "zh-Hans": "API 密钥：请删除该密钥，重新创建。",
    "zh-Hant": "API 金鑰：請刪除這組金鑰，重新建立。",
}
_SECRETS = {
    "seed phrase": {
        "en": "Seed phrase: move your funds to a new wallet with a new phrase, now.",
        "zh-Hans": "助记词：请立即新建钱包（使用新的助记词），并把资产全部转过去。",
        "zh-Hant": "助記詞：請立刻建立新的錢包（使用新的助記詞），並將資產全數轉過去。",
    },
    "private key": {
        "en": "Private key: stop using it, and move whatever it guards to a new address, now.",
        "zh-Hans": "私钥：请立即停用，并把它所管理的资产转移到新的地址。",
        "zh-Hant": "私鑰：請立刻停用，並將它所管理的資產轉移到新的地址。",
    },
    "api key": _API_KEY,
    "api secret": _API_KEY,
    "password": {
        "en": "Password: change it, and wherever else you use it.",
        "zh-Hans": "密码：请立即修改；如果其他地方也用同一个密码，请一并修改。",
        "zh-Hant": "密碼：請立刻變更；若其他網站也使用同一組密碼，請一併變更。",
    },
    "2fa code": {
        "en": "2FA code: pass no further code on. If it was a set-up key or a backup code, set two-factor sign-in up "
        "anew. If somebody asked you for it, change your password now.",
        "zh-Hans": "两步验证码：请勿再告诉任何人；如果是设置密钥或备用码，请重新设置两步验证；"
        "如果是有人向您索要，请立即修改密码。",
        "zh-Hant": "雙重驗證碼：請勿再告訴任何人；如果是設定金鑰或備用碼，請重新設定雙重驗證；"
        "如果是有人向您索取，請立刻變更密碼。",
    },
    "card number": {
        "en": "Card number: ask your bank whether the card should be replaced.",
        "zh-Hans": "银行卡号：请联系发卡行，确认是否需要换卡。",
        "zh-Hant": "信用卡或金融卡號碼：請聯絡發卡銀行，確認是否需要換卡。",
    },
}
_NEVER_ASK = {
    "en": "We never ask for passwords, 2FA codes, API keys, private keys or seed phrases. Never send them to anybody, "
    "and not to us either.",
    "zh-Hans": "我们绝不会向您索要密码、两步验证码、API 密钥、私钥或助记词。请不要发给任何人，也不要发给我们。",
    "zh-Hant": "我們絕不會向您索取密碼、雙重驗證碼、API 金鑰、私鑰或助記詞。請不要傳給任何人，也不要傳給我們。",
}
_SAMPLE = {
    "en": LetterSample.model_construct(
        subject="USDT deposit has not arrived",
        body="Hello,\nI sent 250 USDT over TRON three hours ago and it is not in my account.",
        answer="Thank you for the transaction ID. The transfer has 12 of the 20 confirmations that it needs; your 250 "
        "USDT will be in your account within the next half hour.\n\nYou need not do anything more.",
        category="Deposits",
        categories=("Account security", "Trading", "Withdrawals", "API", "Identity checks", "Other"),
        found={"Coin": "USDT", "Network": "TRON (TRC-20)", "Amount": "250"},
        missing=("Transaction ID (TXID)", "Account ID"),
        articles=("Why a deposit can take longer", "How to find the transaction ID of a transfer"),
    ),
    "zh-Hans": LetterSample.model_construct(
        subject="USDT 充值未到账",
        body="你好，\n我三个小时前通过 TRON 转了 250 USDT，到现在还没有到账。",
        answer="感谢您提供交易哈希。这笔转账需要 20 次网络确认，目前已有 12 次，250 USDT 预计半小时内到账。"
        "\n\n您无需再做任何操作。",
        category="充值",
        categories=("账户安全", "交易", "提现", "API", "身份认证", "其他"),
        found={"币种": "USDT", "网络": "TRON (TRC-20)", "金额": "250"},
        missing=("交易哈希（TXID）", "账户 UID"),
        articles=("充值为什么会延迟到账", "如何查找转账的交易哈希"),
    ),
    "zh-Hant": LetterSample.model_construct(
        subject="USDT 充值未到帳",
        body="您好，\n我三個小時前透過 TRON 轉了 250 USDT，到現在還沒有入帳。",
        answer="謝謝您提供交易雜湊值。這筆轉帳需要 20 次網路確認，目前已有 12 次，250 USDT 預計半小時內入帳。"
        "\n\n您不必再做任何操作。",
        category="充值",
        categories=("帳戶安全", "交易", "提現", "API", "身分認證", "其他"),
        found={"幣種": "USDT", "網路": "TRON (TRC-20)", "金額": "250"},
        missing=("交易雜湊值（TXID）", "帳戶 UID"),
        articles=("充值為什麼會延遲", "如何查詢轉帳的交易雜湊值"),
    ),
}
EXCHANGE_WORDING = LettersText.model_construct(secrets=_SECRETS, never_ask=_NEVER_ASK, sample=_SAMPLE)
