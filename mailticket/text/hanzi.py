"""Traditional and simplified Chinese characters: which stands for which, and which of them tell the form of a text.

Only the characters that people use in support mail are here. Folding is for comparison, so that one list of words
serves both forms: the result is never shown to anybody. Where one simplified character stands for several traditional
ones, all of them are listed. 帐, a common spelling of 账, is folded with them.
"""

from __future__ import annotations

_PAIRS = (
    "帐账 帳账 賬账 號号 戶户 錢钱 幣币 單单 訂订 絡络 網网 鏈链 鍊链 轉转 帶带 匯汇 滙汇 額额 "
    "數数 據据 實实 際际 時时 間间 點点 鐘钟 後后 還还 沒没 過过 們们 個个 這这 麼么 麽么 為为 "
    "爲为 會会 說说 請请 問问 題题 謝谢 貴贵 處处 審审 覈核 認认 證证 驗验 碼码 護护 檢检 測测 "
    "資资 訊讯 臉脸 圖图 傳传 給给 發发 髮发 郵邮 電电 話话 機机 換换 設设 備备 鎖锁 凍冻 結结 "
    "開开 關关 啟启 啓启 閉闭 動动 態态 進进 盡尽 儘尽 幫帮 協协 複复 復复 覆复 應应 對对 錯错 "
    "誤误 異异 報报 導导 級级 種种 類类 項项 費费 現现 貨货 約约 槓杠 桿杆 強强 虧亏 損损 贏赢 "
    "買买 賣卖 價价 漲涨 銷销 續续 線线 連连 斷断 錄录 陸陆 權权 簽签 調调 鑰钥 祕秘 頁页 顯显 "
    "沖冲 衝冲 儲储 區区 塊块 確确 筆笔 從从 東东 兩两 幾几 經经 歷历 曆历 紀纪 記记 總总 計计 "
    "賠赔 償偿 騙骗 盜盗 竊窃 駭骇 釣钓 魚鱼 場场 產产 業业 務务 員员 難难 緊紧 惡恶 無无 於于 "
    "與与 並并 幷并 併并 當当 裡里 裏里 邊边 樣样 誰谁 嗎吗 讓让 將将 來来 見见 覽览 觀观 視视 "
    "聽听 讀读 寫写 書书 學学 習习 練练 團团 隊队 國国 華华 語语 譯译 體体 係系 繫系 聯联 絕绝 "
    "統统 層层 屆届 歸归 屬属 滿满 漢汉 灣湾 島岛 龍龙 鳳凤 馬马 鳥鸟 車车 軟软 較较 輸输 轄辖 "
    "辦办 辯辩 農农 運运 達达 違违 遠远 適适 遲迟 選选 遺遗 邏逻 鄰邻 醫医 釋释 針针 鈔钞 銀银 "
    "銅铜 鋪铺 鏡镜 鍵键 鎮镇 門门 閱阅 陽阳 陰阴 隨随 險险 雖虽 雙双 雜杂 離离 靈灵 頂顶 順顺 "
    "須须 預预 領领 頭头 頻频 顆颗 願愿 顧顾 風风 飛飞 飯饭 飲饮 館馆 駐驻 驚惊 髒脏 鬆松 鬧闹 "
    "麗丽 黃黄 齊齐 齒齿 亂乱 亞亚 僅仅 儀仪 億亿 優优 兒儿 內内 冊册 凱凯 別别 刪删 則则 剛刚 "
    "創创 劃划 劇剧 劉刘 勁劲 勞劳 勝胜 勢势 勵励 勸劝 參参 吳吴 啞哑 喪丧 喬乔 嘗尝 嚐尝 嚇吓 "
    "嚴严 囑嘱 圓圆 園园 圍围 執执 堅坚 壓压 壞坏 壯壮 夢梦 夠够 奪夺 奮奋 婦妇 媽妈 孫孙 寧宁 "
    "寬宽 寶宝 專专 尋寻 屍尸 嶄崭 嶺岭 師师 幹干 乾干 庫库 廠厂 廢废 廣广 廳厅 張张 彈弹 彌弥 "
    "彙汇 徑径 徵征 恆恒 惱恼 愛爱 慘惨 慣惯 慮虑 憂忧 憤愤 憑凭 憶忆 懷怀 懸悬 戀恋 戰战 戲戏 "
    "拋抛 掃扫 掛挂 採采 揚扬 擁拥 擇择 擊击 擋挡 擔担 擬拟 擴扩 擺摆 擾扰 攔拦 攝摄 敗败 敵敌 "
    "斃毙 斬斩 旣既 暫暂 條条 楊杨 極极 榮荣 構构 標标 樓楼 檔档 櫃柜 歡欢 歐欧 殘残 殺杀 毀毁 "
    "氣气 決决 況况 淚泪 淨净 淺浅 減减 渾浑 湊凑 滅灭 滯滞 漸渐 潔洁 濟济 瀏浏 災灾 煩烦 熱热 "
    "燈灯 營营 爭争 爺爷 牆墙 狀状 猶犹 獨独 獲获 獻献 環环 瓊琼 畫画 疊叠 癥症 盤盘 監监 盧卢 "
    "眾众 衆众 睏困 矯矫 碩硕 礎础 禮礼 禍祸 稅税 穩稳 窮穷 競竞 範范 築筑 簡简 籌筹 籤签 糧粮 "
    "糾纠 紅红 紙纸 純纯 細细 終终 組组 絲丝 綁绑 維维 綱纲 緒绪 緩缓 編编 緣缘 縣县 縮缩 績绩 "
    "織织 繞绕 繼继 纔才 罰罚 罷罢 羅罗 義义 聖圣 聞闻 聲声 職职 肅肃 腦脑 腳脚 膽胆 臨临 臺台 "
    "檯台 舉举 舊旧 艦舰 艱艰 芻刍 莊庄 葉叶 藍蓝 藝艺 藥药 蘇苏 虛虚 蟲虫 補补 裝装 製制 規规 "
    "覺觉 觸触 訪访 許许 訴诉 診诊 詐诈 評评 詞词 試试 詢询 該该 詳详 誠诚 誌志 誕诞 課课 諒谅 "
    "談谈 論论 諸诸 謀谋 謂谓 謊谎 講讲 識识 譴谴 議议 讚赞 貝贝 負负 財财 責责 貪贪 貧贫 貸贷 "
    "貿贸 賀贺 賊贼 賓宾 賞赏 賢贤 質质 賴赖 購购 贈赠 趕赶 趙赵 跡迹 踐践 蹤踪 軍军 載载 輔辅 "
    "輕轻 輛辆 輪轮 轟轰 辭辞 迴回 遞递 遊游 邁迈 鄭郑 釐厘 鉤钩 鑒鉴 鑑鉴 長长 閃闪 閒闲 闆板 "
    "闖闯 陳陈 陣阵 階阶 隱隐 隻只 祇只 祗只 雲云 霧雾 靜静 韓韩 響响 頒颁 頓顿 頗颇 顏颜 顛颠 "
    "飄飘 餘余 驅驱 騰腾 鬥斗 鮮鲜 鹽盐 麥麦 黨党 龐庞 檻槛 衹只 鏟铲 恥耻 聰聪 衛卫 佈布 佔占 "
    "週周 囘回 託托 禦御 唸念 塗涂 嘆叹 歎叹 綜综 喚唤 弔吊 佇伫 傷伤 傾倾 僞伪 偽伪 偵侦 側侧 "
    "倉仓 儉俭 債债 傑杰 鑽钻 誘诱 騷骚 濫滥 滲渗 潛潜 澀涩 溝沟 癱瘫 癡痴 療疗 瑣琐 瑪玛 瑋玮 "
    "甦苏 畢毕 畝亩 晉晋 曉晓 暈晕 曬晒 朧胧 術术 枴拐 棄弃 棗枣 棟栋 槍枪 槳桨 樂乐 樞枢 樹树 "
    "橋桥 橫横 櫥橱 欄栏 殼壳 毆殴 氈毡 挾挟 捨舍 捲卷 掙挣 揀拣 搖摇 搶抢 撥拨 撫抚 撲扑 撿捡 "
    "擰拧 擠挤 攤摊 攪搅 敘叙 斂敛 麵面 鬱郁 籲吁 徹彻 牽牵 犧牺 獎奖 獄狱 獵猎 貼贴 蹟迹 訟讼 變变 "
    "歲岁 鐵铁 慶庆 澤泽 湧涌 煉炼 爛烂 瓏珑 蓋盖 積积 稱称 篩筛 紹绍 綠绿 節节 訓训 賺赚 賽赛 趨趋 "
    "躍跃 輯辑 遷迁 "
)
# Characters above that stand in texts of both forms, and so tell neither.
_IN_BOTH = frozenset(
    "乾帐覆徵祇祗睏系干斗只卷台吁吊叶回志念才托松板核采里郁面云占厘游秘迹踪涂余周布恒杰症痴叙泪杆并舍虫冲后几与种"
)

_FOLD = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split()})

ONLY_TRADITIONAL = frozenset(pair[0] for pair in _PAIRS.split()) - _IN_BOTH
ONLY_SIMPLIFIED = frozenset(pair[1] for pair in _PAIRS.split()) - _IN_BOTH - ONLY_TRADITIONAL


def simplified(text: str) -> str:
    """The text with traditional characters folded to simplified ones; everything else, and the length, unchanged."""
    return text.translate(_FOLD)
