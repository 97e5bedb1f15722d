"""The built-in trade as a whole: its categories, the lexicon that likeness goes by, and the forms of its details."""

from __future__ import annotations

import re

from mailticket.likeness.lexicon import Detail, lexicon
from mailticket.topics import exchange_concepts
from mailticket.topics.exchange import CATEGORIES
from mailticket.topics.trade import Trade


def _txid(value: str) -> str:
    """Hexadecimal IDs without 0x in lower case; base 58 (Solana) is case-sensitive and stays."""
    bare = value[2:] if value[:2] in ("0x", "0X") else value
    return bare.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", bare) else value


def _identifier(value: str) -> str:
    return value.strip("#-_:：").upper()


_COINS = {
    "U": "USDT",
    "BITCOIN": "BTC", "XBT": "BTC", "比特币": "BTC", "比特幣": "BTC", "大饼": "BTC", "大餅": "BTC",
    "ETHEREUM": "ETH", "ETHER": "ETH", "以太坊": "ETH", "以太币": "ETH", "以太幣": "ETH",
    "TETHER": "USDT", "泰达币": "USDT", "泰達幣": "USDT", "LITECOIN": "LTC", "莱特币": "LTC", "萊特幣": "LTC",
    "DOGECOIN": "DOGE", "狗狗币": "DOGE", "狗狗幣": "DOGE", "狗币": "DOGE", "RIPPLE": "XRP", "瑞波币": "XRP",
    "瑞波幣": "XRP", "SOLANA": "SOL", "索拉纳": "SOL", "CARDANO": "ADA", "艾达币": "ADA", "POLKADOT": "DOT",
    "波卡": "DOT", "MONERO": "XMR", "TRON": "TRX", "波场币": "TRX", "SHIBA": "SHIB", "柴犬币": "SHIB",
    "TONCOIN": "TON", "MATIC": "POL", "CHAINLINK": "LINK", "AVALANCHE": "AVAX",
}  # fmt: skip


def _coin(value: str) -> str:
    return _COINS.get(value.upper(), value.upper())


_NETWORKS = {
    "TRC20": "TRC20", "TRON": "TRC20", "TRX": "TRC20", "波场": "TRC20", "波場": "TRC20",
    "ERC20": "ERC20", "ETHEREUM": "ERC20", "ETH": "ERC20", "以太坊": "ERC20",
    "BEP20": "BEP20", "BSC": "BEP20", "BNBSMARTCHAIN": "BEP20", "BNBCHAIN": "BEP20", "BINANCESMARTCHAIN": "BEP20",
    "币安智能链": "BEP20", "幣安智能鏈": "BEP20", "BEP2": "BEP2",
    "SOLANA": "SOLANA", "SOL": "SOLANA", "SPL": "SOLANA", "POLYGON": "POLYGON", "MATIC": "POLYGON",
    "ARBITRUM": "ARBITRUM", "ARB": "ARBITRUM", "ARBITRUMONE": "ARBITRUM", "OPTIMISM": "OPTIMISM", "OP": "OPTIMISM",
    "AVALANCHE": "AVALANCHE", "AVAXC": "AVALANCHE", "AVAX": "AVALANCHE", "AVALANCHECCHAIN": "AVALANCHE",
    "BITCOIN": "BITCOIN", "BTC": "BITCOIN", "比特币": "BITCOIN", "比特幣": "BITCOIN", "LIGHTNING": "LIGHTNING",
    "闪电": "LIGHTNING", "閃電": "LIGHTNING",
}  # fmt: skip


def _network(value: str) -> str:
    bare = re.sub(r"[-_ ()]", "", value).upper()
    return _NETWORKS.get(bare, bare)


EXCHANGE = Trade(
    categories=CATEGORIES,
    lexicon=lexicon(
        exchange_concepts.WORDINGS,
        deeds=exchange_concepts.DEEDS,
        opposites=exchange_concepts.OPPOSITES,
        details={
            "txid": Detail("identifier", "transaction"),
            "order_id": Detail("identifier", "order"),
            "account_id": Detail("account", "account ID", other=-8.0),
            "network": Detail("choice", "network", other=-3.9),
            "coin": Detail("choice", "coin", same=0.1, other=-6.1),
            "amount": Detail("amount", "amount"),
            "time": Detail("time", "time"),
        },
        common=exchange_concepts.COMMON,
        volatile=exchange_concepts.VOLATILE,
        nouns=exchange_concepts.NOUNS,
    ),
    forms={
        "txid": _txid,
        "order_id": _identifier,
        "account_id": _identifier,
        "coin": _coin,
        "network": _network,
    },
)
