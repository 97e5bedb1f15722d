"""How a request stands to earlier ones: it asks for news, tells the same again, corrects it, or sets itself apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mailticket.text.patterns import lazy_pattern
from mailticket.text.sieve import Sieve, Sifted

LEAST_TEXT = 16.0  # below this sum of term weights a text that asks for news names no matter of its own


@dataclass(frozen=True, slots=True)
class Stance:
    """chaser, again, other: how many different phrases say so, at most 3 each. rest: the text without those phrases.

    asks: it asks how something is done or what the rule is. reports: it tells of something that went wrong.
    alarm: it cries rather than tells.
    points: it is short and hands in something, such as a screenshot, that speaks of a matter told elsewhere.
    """

    chaser: int
    again: int
    other: int
    correction: bool
    asks: bool
    reports: bool
    points: bool
    alarm: bool
    rest: str


@dataclass(frozen=True, slots=True)
class TradeNouns:
    """What a trade's requesters put into the phrases of any desk, as patterns, English and Chinese ones.

    things: what another one of is another matter. codes: what is given wrong and then corrected. repeated: deeds done
    "once more". mishaps: what is a report by itself. subjects: of what people ask whether it can. asked: of what people
    ask which it is.
    """

    things: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    mishaps: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


NO_NOUNS = TradeNouns()
_SLOT = lazy_pattern(r"\|%(\w+)%")  # where a trade's nouns of that name join an alternation


def _alternatives(english: str, chinese: str, nouns: TradeNouns = NO_NOUNS) -> re.Pattern[str]:
    english, chinese = _lines(english), _lines(chinese)
    english = _SLOT.sub(lambda slot: _joined(word for word in getattr(nouns, slot[1]) if word.isascii()), english)
    chinese = _SLOT.sub(lambda slot: _joined(word for word in getattr(nouns, slot[1]) if not word.isascii()), chinese)
    return lazy_pattern(f"(?<![a-z])(?:{english})(?![a-z])|(?:{chinese})")


def _joined(words: Iterable[str]) -> str:
    return "".join(f"|{word}" for word in words)


def _lines(listed: str) -> str:
    """One alternation of the listed lines; a line that ends in "|" goes on in the next one."""
    lines = [line.strip() for line in listed.splitlines() if line.strip()]
    return "".join(line if line.endswith("|") else f"{line}|" for line in lines).removesuffix("|")


_CHASER = _alternatives(
    r"""
    (?:please |pls |kindly )?(?:update|inform|notify) me|(?:please |pls )?(?:let me know|keep me (?:posted|
    informed|updated))
    is there (?:an?|any|some) (?:\w{1,8} )?(?:fix|solution|news|update|answer|progress|result|reply|
    decision)(?: \w{1,10}){0,3}(?: yet)?
    (?:can|could|would|will) you (?:please |kindly )?(?:speed|hurry|check again|expedite|prioriti[sz]e|
    look into (?:it|this)).{0,20}
    (?:waiting|i wait|we wait) (?:since|for) .{0,25}?(?=[?.!,\n]|$)|speed (?:it|this) up|not (?:yet|a word)|
    any (?:eta|solution|fix|result|decision|chance|help|hope)(?: yet)?
    (?:status|update|news|progress|and|so|well|hello+|anybody|anyone|reply|answer)\s?[?!]+(?=\s|$)
    (?:it is|it's|this is) (?:now |already )?(?:day|the \w{2,8} day|\w{1,6} days|\w{1,6} hours|\w{1,6} weeks)
    any (?:\w{1,10} )?(?:news|updates?|progress|word|response|reply|answer|development|luck|idea when|
    feedback)(?: on (?:this|that|it|my (?:ticket|case|request|issue|problem)))?(?: yet)?
    (?:still|been|keep|kept|im|i'm|i am|we are|we're) (?:still |been |just )?waiting(?: for (?:you|your|an?|any|
    some)(?: \w{1,10})?)?(?: here)?
    (?:no|without(?: an?| any)?|not (?:a single|an?|any|one)|zero|haven't (?:had|got|gotten|received|
    heard)(?: an?| any| back)?|have not (?:had|received|heard)(?: an?| any| back)?|didn't (?:get|
    receive)(?: an?| any)?|never (?:got|received)(?: an?| any)?) (?:\w{1,10} )?(?:reply|replies|response|
    responses|answer|answers|reaction|news|feedback|back|word)(?: yet| so far| from (?:you|anyone|anybody))?
    (?:nobody|no ?one|none of you|nobody there) (?:has |have |is |even |ever |seems to )*(?:repl|answer|respond|
    car|help|read|react|listen)\w{0,5}(?: (?:to )?(?:me|my mails?|my emails?))?
    follow(?:ing)?[ -]?up(?: on (?:this|that|it|my (?:\w{1,10} )?(?:ticket|case|request|email|mail|message)))?
    when (?:will|can|do|are|is|could|would|should|am|may) (?:you|i|we|it|this|that|somebody|
    someone) (?:\w{1,10} ){0,2}(?:get|have|receive|expect|see|be|answer|reply|respond|fix|solve|resolve|credit|
    refund|release|unlock|unblock|give|return|send|hear|help|process|look|back|going).{0,40}?(?=[?.!\n]|$)
    (?:anyone|anybody|is anyone|is anybody|is somebody|is someone)(?: out)? (?:there|here|home|alive|reading|
    listening|looking|working)
    how (?:much longer|long (?:do|will|must|should|shall|am|have) (?:i|we)|long (?:until|till|before|more|
    is this|will this|will it|is it|must it|still|does this)) .{0,50}?(?=[?.!\n]|$)
    what(?:'s| is| about)? (?:the )?(?:status|progress|state|latest|going on|happening|taking so long|
    eta)(?: of (?:this|that|it|my (?:ticket|case|request)))?
    (?:gentle |kind |friendly |second |final |last |another |just a )?reminder
    bump(?:ing)?(?: this)?
    (?:have you|did you) (?:even )?(?:manage|find|have a chance|have time|get around|check|forg[oe]t\w{0,4}|
    seen?|read|received?|gotten?|looked|had a chance|look|
    get) .{0,40}?(?=[?.!\n]|$)
    (?:hurry(?: up)?|chas(?:e|ing)(?: this| up)?|checking (?:in|back|up)(?: on (?:this|it))?|touching base|
    circling back|nudge|pinging(?: you)?|ping)
    (?:please )?(?:repl(?:y|ies)|respond|answer|react)(?: to)? (?:me|my|asap|now|soon|already|quickly|
    urgently)(?: (?:mails?|emails?|messages?|ticket))?
    (?:it|this|that)(?:'s| has| is| have)? (?:now )?(?:been|taking|taken) (?:\w{1,10} ){0,3}(?:hours?|days?|
    weeks?|forever|ages|long|month)
    (?:why|taking|takes|took) (?:so|this) long|hello\s?[?!]{2,}|\?{3,}
    (?:please |pls )?(?:someone|somebody|anyone|anybody)(?: please| pls)? (?:answer|reply|respond|help|
    react)(?: me)?|(?:would |we'd |i'd )?appreciate (?:an?|your|any) (?:\w{1,8} )?(?:reply|response|answer|
    update|feedback)
    (?:has|have|is|was|did) (?:\w{1,10} ){1,4}(?:been )?(?:solved|fixed|resolved|processed|finished|decided|
    done|approved) (?:yet|already|now)
    (?:keep|stop) ignoring(?: me)?|ignor(?:ed|ing) (?:me|my|us)
    """,
    r"""
    (?:帮忙|麻烦|请|拜托)?(?:快点|快些|加急|抓紧|从速)(?:处理|审核|解决|回复|一下)?|(?:查到|审核完|修复|修好|
    弄好|找到|有人看|有人处理|看到|收到)(?:了)?(?:吗|没有|没|么)
    (?:什么时候|何时|几时|啥时候)(?:才|能|可以|会|给|退|发|处理|解决|回复|到账|恢复|修好|审|来)+.{0,10}|(?:等|
    在等)(?:你们|您的?)?(?:的)?(?:回复|消息|答复|结果|处理)
    催(?:一下|促|办|单|一催)?
    有(?:没有)?(?:什么|任何|新)?的?(?:进展|消息|结果|回复|下文|进度|动静|音讯)(?:了|没有?|吗|么|呢)*
    (?:还没|没有?|未|一直没有?|还没有|至今没有?|迟迟没有?|都没有?)(?:收到)?(?:任何|一个|你们的?|您的?|
    贵司的?)?(?:人)?(?:回复|回应|答复|回信|处理|解决|回音|消息|理我?|管|结果|音信)(?:我|过)?
    (?:还|一直|仍)在等(?:待|你们|消息|回复|着)*
    (?:我)?(?:已经|都|又)?等了?(?:快|整整|将近|超过|都)?.{0,8}(?:小时|天|周|星期|礼拜|月|分钟|久|年)了?
    (?:还|要|到底|究竟)(?:要|需要|得)?(?:等|需要?)?多久|多久(?:才|能|可以).{0,10}|什么时候(?:才|能|可以|
    会).{0,16}|何时(?:才|能|可以|会)?.{0,12}
    (?:好|完|完成|出来|解决|处理|修复|修好|到账|通过|找到|办好|弄好|恢复|退)了?(?:吗|没有|没(?=[?？，,。]|$)|
    么)|(?:请|麻烦|盼|望|求)(?:您|你们)?(?:给个)?(?:回复|答复|回音|复)(?:一下)?
    没人(?:理|管|回|处理|搭理|答复|应)\w{0,3}
    (?:有人|人)(?:在|吗|管|看到?)(?:吗|么|没有?)*
    (?:请|麻烦|望|拜托)?(?:尽快|赶紧|赶快|快点|速度?|马上|立即)(?:处理|回复|解决|答复|给(?:我)?(?:个)?(?:答复|
    说法|回复))(?:一下)?
    怎么(?:还|这么)(?:没|不|慢|久).{0,10}
    跟进(?:一下)?|进度(?:如何|怎么样|怎样)|处理得?(?:怎么样|如何|到哪)了?|现在(?:什么|是什么|怎么个?)(?:情况|
    状态|进度)了?|(?:怎么样|如何)了
    给(?:我)?(?:个|一个)(?:答复|说法|回复|交代|准信)|回(?:我|一下|个话|复一下)|在吗|在不在|人呢|有人吗
    (?:能不能|能否|可否|可以)(?:快|尽快|快点).{0,8}|忘了?(?:我|我的|这)|石沉大海|置之不理|不闻不问
    """,
)
_AGAIN = (
    r"""
    (?:writing|asking|emailing|contacting|reporting|here|hello|hi|me|you) (?:\w{1,8} )?(?:again|once more)
    (?:as|like) i (?:have |had )?(?:already )?(?:said|wrote|mentioned|told|described|explained|reported)
    (?:my|the|our|in) (?:last|previous|earlier|first|other|original|prior|below|above|initial|
    former) (?:\w{1,10} )?(?:e-?mails?|mails?|messages?|tickets?|requests?|letters?|reports?|enquiry|inquiry|
    case)
    (?:already|previously|earlier) (?:wrote|written|sent|emailed|mailed|reported|contacted|asked|told|opened|
    submitted|messaged|explained)
    (?:second|third|fourth|fifth|2nd|3rd|4th|5th|tenth|nth|umpteenth) (?:time|e-?mail|mail|message|attempt|
    request|report|ticket|try)
    (?:re-?send(?:ing)?|re-?sent|re-?submit\w{0,4}|re-?post\w{0,3}|send(?:ing)? (?:this|it) (?:again|once more|
    over)|writing again|forwarding (?:again|this|my))
    i (?:wrote|e-?mailed|mailed|contacted|messaged|reported|asked|sent (?:you )?(?:an?|this|the) (?:e-?mail|
    mail|message|ticket)) .{0,30}?(?:yesterday|earlier|before|last|ago|already|this morning|about this|
    on \w{3,9}day)
    (?:is|are|am|be|i'm|it's|'s|has|have|was) still|still (?:dead|down|wrong|empty|closed|open|off|waiting|
    without|missing)
    (?:still|continues? to|keeps) (?:not|no|hasn't|haven't|isn't|doesn't|can't|cannot|missing|locked|pending|
    stuck|frozen|the same|happening|unsolved|unresolved|nothing|unable|broken|showing|gone|processing|under|
    failing|rejected|blocked)
    (?:to add|adding|additional (?:info\w{0,8}|details?)|more (?:details?|info\w{0,8})|further (?:details?|
    info\w{0,8}|to my)|forgot to (?:mention|add|attach|include|say|give)|in addition to my|supplement\w{0,5}|
    here (?:is|are) the (?:\w{1,12} )?(?:details|%codes%|screenshot|info\w{0,8}))
    if (?:that|this|it) helps|in case (?:that|this|it) (?:helps|matters)|for (?:your|the) (?:info\w{0,8}|record)|fyi
    (?:same|this) (?:issue|problem|matter|thing|request|question) (?:as|i|again|still|persists|remains|is still|
    hasn't)|not (?:fixed|solved|resolved)|unresolved|unsolved
    """,
    r"""
    再次|又(?:来)?(?:发|写)(?:邮件|一封|一次)?|再(?:发|写|说|问|反映|提交)(?:一次|一遍|一封)?|重发|重新(?:发|
    提交)|再来(?:问|说)
    (?:上|前|第一|之前那?)(?:一)?(?:封|次|个)(?:邮件|信|工单|说|提|反映|反馈|问|那)?
    (?:之前|前面|刚才|早上|昨天|前天|上午|下午|昨晚|上周)(?:就|已经|也|我|给你们)*(?:发|写|反映|反馈|提交|说|问|
    联系)(?:过|了|的)
    (?:第|这是|都)(?:我)?(?:第)?[二三四五六七八九十2-9]\s?(?:次|封|遍)(?:了|发|写|联系)*
    已经?(?:发|写|反映|反馈|提交|说|联系|问)(?:过|了)(?:好?几|两|三|多)?(?:次|封|遍)?
    (?:还是|依然|依旧|仍然?|仍旧|一直|至今|到现在(?:还|都|也)?)(?:没|不|未|无法|是|显示|卡|打不|登不|收不)
    补充(?:一下|说明|材料|信息|资料|两点|一点)?|忘(?:了|记)(?:说|附|写|提供|加)|附上|如(?:上|前)(?:所述|文|面)?|
    同(?:一|样)(?:个|件|的)?(?:问题|事|情况)|就是(?:上次|昨天|之前)(?:那|说)
    """,
)
_OTHER = (
    r"""
    (?:another|different|separate|second|third|new|unrelated|other|additional|further|next|
    one more) (?:\w{1,10} )?(?:issue|problem|question|%things%|order|transaction|transfer|matter|
    request|topic|thing|case|payment|incident|subject|enquiry|inquiry|point)s?
    (?:not|isn't|nothing|un)(?: to do with| (?:directly )?related to| connected (?:to|
    with)| about| the same(?: \w{1,10})? as|related to) .{0,30}?(?=[,.;!?\n]|$)
    (?:apart|aside|separate) from (?:that|this|my|the)|on another note|this time|besides (?:that|my)|
    (?:the )?other one (?:is|was|has|arrived)|(?:that|the first|the previous) one (?:is|was|has been) (?:fine|
    solved|resolved|ok|credited|done|fixed|sorted)
    (?:thanks|thank you) for (?:solving|fixing|resolving|sorting|the quick (?:help|fix|solution)|
    your help (?:with|yesterday|last))
    """,
    r"""
    另(?:一|外一?|有一?)(?:笔|个问题|单|件事?|次|张|条|个|事)|又(?:一|有一?|%repeated%|来了?一?)(?:笔|
    个(?:新)?问题|单)|(?:新的|新)(?:问题|一笔|订单|%things%|情况)
    第[二三四五2-5]笔|不是(?:之前|上次|昨天|上一|那)(?:的|那|笔|个)?\w{0,3}|(?:不同|别)的(?:问题|订单|事|一笔)?|
    (?:跟|和|与)(?:之前|上次|上一|那|昨天)(?:的|那|封|个|笔)*.{0,8}(?:无关|不一样|不同|没关系|两回事|不是一回事)
    (?:换|再问|想问|问)(?:个|一个)(?:别的|其他|另外的?)?问题|其他(?:问题|事)|还有(?:一)?(?:个问题|件事|笔)|
    这次(?:是|不是)|上次的?(?:问题|那笔|事)?(?:已经|都)?(?:解决|到账|处理好|搞定)了?|
    上(?:一)?笔(?:已经)?(?:到了|到账|解决)
    """,
)
_CORRECTION = (
    r"""
    (?:correction(?=\s?[:,;.!-])|(?:a|my|one|small|quick) correction(?= (?:to|of) (?:my|the last|what))|typo|
    mistyped|(?:wrong|incorrect) (?:\w{1,8} )?(?:id|%codes%|number|amount|order|date)(?: in| earlier| before|,| -|;)|
    sorry,? (?:i )?(?:wrote|gave|sent|typed|pasted|meant)|i meant|
    should (?:have been|read)|(?:number|id|%codes%|amount|date|name) should be|the correct|correct (?:one|%codes%|
    id|number|amount) is|
    not \S{1,70} as i (?:wrote|said))
    """,
    r"""
    更正|写错了|打错了|填错了(?:单号|%codes%|编号|数字)|发错了|贴错了|说错了|应该是\s?[\w-]{0,12}\d{3}|正确的(?:是|单号|%codes%|编号|
    金额|订单)|抱歉(?:，|,)?(?:刚才|之前|上面|上一封).{0,8}错
    """,
)


_ASKS = (
    r"""
    how (?:do|can|could|would|should|does|to|is|are|high|many|much(?! longer)|difficult|long (?:does|do|are|
    is) (?:it|the|a|an|you|\w{1,15}s)(?! (?:still|been)))
    (?:what|which|where) (?:is|are|was|do|does|can|would|else|kind|%asked%|documents?|columns?)
    (?:can|could|may|should|do|does|shall) (?:i|we|one|you|%subjects%|the|my|
    two) (?:\w{1,10} ){0,3}(?:use|have|get|need|offer|plan|see|connect|share|buy|convert|find|register|open|
    choose|save|count|keep|upload|take|become)
    (?:is|are) (?:it|there|my|the|he|she|this) (?:\w{1,12} ){0,4}(?:possible|permanent|licensed|cheapest|
    allowed|fee|way|minimum|maximum|limit|difficult)
    (?:please|kindly|pls) (?:send me|stop|remove|delete|create|add|take|export|change|rename|switch|
    tell me (?:how|what|which))
    (?:i|we) (?:want|would like|wish|plan|intend) to|(?:i|we)'d like to
    (?:will you|are you going to|do you plan to|would it be possible)
    (?:i'd|i would|we'd|we would|i want|we want) (?:\w{1,8} )?(?:like )?to (?:know|become|register|try|upgrade|
    buy|open|understand)
    """,
    r"""
    请问(?!.{0,12}(?:进度|进展|结果|处理|消息|什么时候|何时|到哪))|如何|怎么(?:样)?(?:操作|设置|开|改|换|弄|算|
    用|看|提高|找|查|注销|导出|关|才能|做|选|寄|填|绑)|能不能|能否|可否|可以.{0,16}[吗么]|哪里(?:看|查|改|设|
    找)|哪个|多少|需要什么|什么材料|哪些|想问|想了解|咨询|请告知|教程|怎样|怎麼
    """,
)
_REPORTS = (
    r"""
    (?:not|never|\w{2,6}n't|cannot|can ?not|cant|nothing|nobody|no longer) .{0,40}|missing|stuck|pending|
    failed?|fails|failing|
    failure|errors?|wrong|lost|gone|locked|blocked|frozen|hacked|stolen|reject\w{0,3}|refus\w{1,3}|crash\w{0,3}|
    broken|problem|disappear\w{0,2}|vanish\w{0,2}|delay\w{0,2}|stopp?(?:ed|s)|closes?|returned|complain\w{0,2}|
    incomplete|incorrect|charged|damaged
    """,
    r"""
    没(?!关系)|未|不了|失败|错|丢|不见|被|卡|无法|不能|异常|问题|断|少了|扣|骗|%mishaps%|打不开|登不|不对|不到|不放|坏
    """,
)

_CRIES = 3  # marks of exclamation that no calm text has
_ALARM = _alternatives(
    r"""
    help (?:help|me please|us)|please,? please|omg|oh (?:my god|no|god)|i(?: am|'m) (?:ruined|
    desperate|panicking|begging|shaking|crying|such an)|i beg|emergency|nightmare|stranded|all (?:i (?:own|
    have)|my savings)
    """,
    r"""
    救命|救救|求求|天啊|天哪|完了|急急|血汗钱|全部(?:积蓄|家当)
    """,
)
_LONGEST_POINTER = 200  # characters: a longer text tells its matter itself
_POINTS = _alternatives(
    r"""
    \S{0,80}\.(?:png|jpe?g|heic|webp|gif|pdf|mp4|mov|docx?|txt|log)|(?:img|dsc|pxl|screenshot)[_-]?\d\S{0,60}|image\d{0,4}
    (?:please |pls )?(?:(?:see|find|check|look at|open|view) )?(?:the |my |an? |in |as )?(?:file |files |
    enclosed |picture |
    photo |screenshot )?(?:attach(?:ed|ments?|ing)|enclosed|enclosure)
    (?:here(?:'s| is| are| comes?| it is| you go| they are| you are)?|this is|these are|adding|sending|forgot|
    i forgot|and|with|as (?:requested|promised|asked)) (?:the |a |an |my |some |you )?
    screen ?(?:shots?|grabs?|recording|caps?)|photos?|pictures?|pics?|images?|videos?|recordings?|proof|
    (?:missing|the) files?
    (?:this|that|here)(?:'s| is) (?:what|how|where)|(?:it|this|that) (?:says|shows|looks)|(?:see|look) (?:here|
    below|this)
    same (?:thing|here|result|error|message|again|story)|no (?:change|difference|luck|effect)
    """,
    r"""
    截图|截屏|附件|附图|附上|图片|照片|图\s?\d|如图|见图|补图|看图|的?图(?:片)?(?:在此)?$|这是|视频|录屏|凭证|忘(?:了|记)(?:附|发|传)|如下|同上|还是(?:一样|不行|不能)|依然不行|补发|补充
    """,
)


@dataclass(frozen=True, slots=True)
class FollowupPhrases:
    """The phrases by which a desk's requests are known to follow others; make it with `followup_phrases`."""

    again: re.Pattern[str]
    other: re.Pattern[str]
    correction: re.Pattern[str]
    asks: re.Pattern[str]
    reports: re.Pattern[str]
    sieve: Sieve = field(repr=False)

    def stance(self, text: str) -> Stance:
        """What the phrases of a folded text say of its relation to earlier requests."""
        whole = Sifted(text, self.sieve)
        chased = list(whole.matches(_CHASER))
        unchased = Sifted(_without(text, chased), self.sieve) if chased else whole
        rest = _without(unchased.text, unchased.matches(self.again))
        points = len(text) <= _LONGEST_POINTER and _POINTS.search(text) is not None
        return Stance(
            chaser=min(3, len({match.group() for match in chased})),
            again=_distinct(whole.matches(self.again)),
            other=_distinct(whole.matches(self.other)),
            correction=any(whole.matches(self.correction)),
            asks=any(whole.matches(self.asks)),
            reports=any(unchased.matches(self.reports)),
            points=points,
            alarm=text.count("!") >= _CRIES or any(whole.matches(_ALARM)),
            rest=_POINTS.sub(" ", rest) if points else rest,
        )


def followup_phrases(nouns: TradeNouns = NO_NOUNS) -> FollowupPhrases:
    """The general phrases, with what a trade puts into them."""
    again, other, correction, asks, reports = (
        _alternatives(english, chinese, nouns) for english, chinese in (_AGAIN, _OTHER, _CORRECTION, _ASKS, _REPORTS)
    )
    sieve = Sieve((_CHASER, again, other, correction, asks, reports, _ALARM))
    return FollowupPhrases(again, other, correction, asks, reports, sieve)


def _without(text: str, phrases: Iterable[re.Match[str]]) -> str:
    """The text with a blank for each of the phrases."""
    pieces: list[str] = []
    end = 0
    for match in phrases:
        pieces.append(text[end : match.start()])
        end = match.end()
    return " ".join([*pieces, text[end:]])


def _distinct(phrases: Iterable[re.Match[str]]) -> int:
    """How many different phrases, at most 3."""
    found: set[str] = set()
    for match in phrases:
        found.add(match.group())
        if len(found) == 3:
            break
    return len(found)
