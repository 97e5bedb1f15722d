"""How common words are in mail to a help desk: a prior written by hand, so that rare shared words can weigh more.

Each band says in what share of such mails its words occur; a word in no band is rare. English words are listed in one
form and kept by their stems; Chinese as pairs of characters, the unit in which Chinese is compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from mailticket.text.words import stem

_ENGLISH: dict[float, str] = {
    0.7: "i my the to and is a it of in you for",
    0.45: """
        this that have has not be on with me was but so at can we your are please if or from as an been will
        help do no did what when how don't can't thank thanks hello hi dear still account now just all there""",
    0.2: """
        would could get got up out more than then them they he she his her its im i'm i've it's didn't doesn't
        isn't hasn't haven't wasn't won't couldn't any some after before about again already why which who where
        one two three because since only also even same see need want let know tell check look try tried make
        made take took give gave go went going come came back time day today yesterday ago hour minute week
        month now here yet too very much many money support team service customer email mail message write wrote
        send sent reply answer respond response contact request problem issue question trouble happen wait
        waiting urgent asap soon quickly immediate possible work fix solve resolve show showing page app website
        click open use using user id site amount number order transfer credit receive arrive pending status
        confirm verification verify login log password regards best kind sincerely sorry appreciate understand
        explain find found say said says anything something nothing everything anyone someone nobody people
        person way thing really long last first second next new old another other different every each never
        ever always until while during around between into over under off down through without should must may
        might shall am were had having being does doing done our us their him i'd i'll you'd you're that's
        there's what's let's etc e.g hello regarding concerning hope well good bad wrong right correct""",
    0.08: """
        address attach attached screenshot picture image photo file see detail details information info provide
        proof date morning evening night afternoon tomorrow monday tuesday wednesday thursday friday saturday
        sunday january february march april june july august september october november december usd eur dollar
        euro bank card payment pay paid price fee cost buy sell bought sold limit cancel fill close key error
        code fail failed failure reject document passport identity review process processing complete completed
        success successful phone mobile device security secure 2fa authenticator code sms locked unlock lock
        access block frozen freeze restrict hack steal stolen unauthorized notification notify feature system
        version update history record screen button ticket case inquiry chat agent bot automatic human staff
        response promise hours business working urgent follow following-up regard attention matter concern
        complaint unacceptable ridiculous terrible worst angry frustrated frustrating disappointed worried worry
        panic scared afraid please kindly advise assist assistance able unable cannot impossible instead however
        therefore although though maybe perhaps probably actually total small large big high low least less
        enough half few several part full whole part minutes seconds days weeks months year years""",
}
_CHINESE: dict[float, str] = {
    0.4: """
        你好 您好 我的 请问 谢谢 客服 没有 现在 一下 什么 怎么 账户 账号 这个 可以 为什 问题 麻烦
        帮我 我在 处理 请帮 我们 你们 已经 还是 一直 今天 昨天 时候 时间 到现 是不 不是 能不 不能
        怎么 回事 尽快 谢谢 了吗 的时 解决 希望""",
    0.15: """
        没到 未到 订单 用户 地址 余额 显示 看到 收到 金额 网络 确认 审核 系统 提示 登录 密码 验证
        手机 邮箱 认证 身份 失败 成功 错误 无法 不了 需要 知道 告诉 回复 联系 邮件 截图 附件 信息
        提供 核实 查一 查看 看看 查询 等了 小时 分钟 几天 两天 三天 天了 了一 一个 一笔 这笔 那笔
        笔钱 我把 我从 从我 到我 给我 我已 我昨 我今 因为 所以 但是 可是 如果 然后 之后 以后 之前
        以前 刚才 刚刚 上午 下午 晚上 早上 凌晨 昨晚 非常 真的 着急 很急 急用 紧急 催促 进度 进展
        还没 没人 人理 多久 这么 那么 这样 这是 就是 还有 或者 而且 不知 知道 一次 再次 重新 操作
        使用 功能 情况 原因 说明 申请 提交 通过 状态 钱还 我要 我想 想问 想要 不到 没收 到底 究竟
        怎样 如何 哪里 有没 没法 不行 好了 完成 正常 异常 打开 点击 页面 手续 续费 数量 号是 订单
        单号 用户 户名 转了 转到 买了 卖了 钱没 的钱 人工 工作 作日 请尽 快处 理一 下谢 您的 贵司
        贵平 公司 安全""",
}

_RARE_ENGLISH = 0.006
_RARE_CHINESE = 0.015

_DEFAULT_ENGLISH = -math.log(_RARE_ENGLISH)
_DEFAULT_CHINESE = -math.log(_RARE_CHINESE)


def weights(own: Mapping[float, str]) -> dict[str, float]:
    """How much sharing a stem or pair of characters says: the negative logarithm of the share of mails with it.

    own: bands of a trade beside the general ones; of a word that stands in several the most frequent one counts.
    """
    bands = sorted((*_ENGLISH.items(), *_CHINESE.items(), *own.items()))
    return {stem(word): -math.log(share) for share, words in bands for word in words.split()}


def rare(term: str) -> float:
    """What a stem or pair of characters weighs that is in no band."""
    return _DEFAULT_ENGLISH if term.isascii() else _DEFAULT_CHINESE
