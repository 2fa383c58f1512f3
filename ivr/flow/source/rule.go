package source

import "slices"

// Rule is a kind of mistake, under the stable name that diagnostics carry.
type Rule struct {
	ID     string
	When   string // when it is reported, half a sentence
	WhenZH string // the same in Chinese
	Warn   bool   // it is a warning, or can be one
}

// Rules lists every rule of flow files and of the files beside them, by name.
func Rules() []Rule {
	return []Rule{
		{"agent-name", "nobody can log in by an agent's name", "没有人能以这个客服名称登录", false},
		{"alias", "text begins with `*` without quotes", "文字以 `*` 开头而没有加引号", false},
		{"anchor", "text begins with `&` without quotes, or a value is given an anchor", "文字以 `&` 开头而没有加引号，或者值带有锚点", false},
		{"article", "an article of a knowledge folder has no head, or says nothing", "知识目录中的文章没有开头部分，或没有正文", false},
		{"asks-to-speak", "the words ask to speak where only keys are listened to", "提示语请客户说话，而这里只接受按键", true},
		{"assurance", "a step with `needs` can be reached by a caller who has not shown it; the message holds the path", "身份未达到要求的客户也能进入带 `needs` 的步骤；说明中列出这条路径", false},
		{"channel", "a step can be reached on a channel that cannot do it", "某渠道的客户会到达该渠道做不到的步骤", false},
		{"colon-in-text", "a text without quotes has a colon and a space in it", "没有加引号的文字中有冒号加空格", false},
		{"comma-in-text", "a comma inside { } ended a text", "{ } 中没有加引号的文字被逗号截断", false},
		{"command-collides", "a key or phrase of a command equals, begins or is begun by one of a menu", "命令的按键或短语与菜单的相同，或一个是另一个的开头", false},
		{"complex-key", "a key is not a plain word", "键不是一个普通的词", false},
		{"date", "a date is not written YYYY-MM-DD, or does not exist", "日期没有写成 YYYY-MM-DD，或不存在", false},
		{"default", "a default does not fit the type", "默认值与类型不符", false},
		{"digits", "`digits` is neither a count nor a range", "`digits` 既不是位数也不是位数范围", false},
		{"directive", "the file holds a YAML directive", "文件中有 YAML 指令", false},
		{"duplicate-key", "a key is written twice in one map", "同一映射中一个键写了两次", false},
		{"duplicate-name", "two things have one name", "两样东西用了同一个名称", false},
		{"duration", "a duration has no unit, or a wrong one", "时长没有单位，或单位不对", false},
		{"empty-value", "a key or a list has nothing in it", "键没有值，或列表是空的", false},
		{"encoding", "the file is not UTF-8, or holds control characters", "文件不是 UTF-8，或含有控制字符", false},
		{"endless-loop", "steps form a circle in which nobody is waited for", "几个步骤构成一个环，环中没有等待客户的步骤", false},
		{"expired-holiday", "a holiday is over", "节假日已经过去", true},
		{"expression", "an expression has an unknown name, a clash of types or a slip in its form", "表达式中有未知的名称、不相容的类型或写法错误", false},
		{"file", "a file is missing, lies outside the folder or cannot be used", "文件不存在、在流程目录之外或无法使用", false},
		{"file-size", "a file is too large", "文件过大", false},
		{"header", "a header has a name HTTP does not allow", "请求头的名称不符合 HTTP 的规定", false},
		{"hours", "opening hours are not written `\"09:00-18:00\"`", "营业时间没有写成 `\"09:00-18:00\"` 的形式", false},
		{"http-host", "a host is not in `flows.http_allow`", "主机不在 `flows.http_allow` 中", false},
		{"idle-agent", "an agent is in no team, or in none that serves a queue", "客服不属于任何团队，或所属团队不服务任何队列", true},
		{"idle-team", "nobody is in a team", "团队中没有客服", true},
		{"keys", "keys cannot be pressed on a phone", "电话上按不出这些按键", false},
		{"keys-collide", "two keys of one menu are equal, or one begins the other", "同一菜单中两个按键相同，或一个是另一个的开头", false},
		{"language", "a language tag is malformed", "语言标签写法不对", false},
		{"leave-speaks", "a step that only `on_leave` leads to speaks or listens", "只由 `on_leave` 到达的步骤要说话或收听", false},
		{"look-alike", "a character looks like another one, or cannot be seen", "一个字符与另一个字符外形相似，或者看不见", false},
		{"merge-key", "the file holds `<<`", "文件中有 `<<`", false},
		{"method-level", "a method of `identify` cannot give the level", "`identify` 的这种方法给不出要求的身份级别", false},
		{"missing-address", "the words sent with a link have no `${link.url}`", "随链接发送的文字中没有 `${link.url}`", false},
		{"missing-field", "a ticket lacks a field of its form", "工单缺少表单中的字段", false},
		{"missing-flow", "an entry of the configuration leads to a flow that is in no file, or that does not serve the entry's channel; told by the server, which goes on with the flows it has", "配置中的入口指向的流程不在任何文件中，或不支持该入口的渠道；由服务器报告，服务器继续使用已有的流程", false},
		{"missing-input", "a called flow needs an input that is not handed in", "被调用的流程所需的输入没有传入", false},
		{"missing-key", "a field that must be there is not", "缺少必填的键", false},
		{"missing-label", "a choice has nothing to be shown by in text", "选项在文字渠道中没有可显示的内容", true},
		{"missing-language", "a prompt lacks a language: the first is an error, another one a warning", "提示语缺少某种语言：缺少第一种是错误，缺少其他语言是警告", true},
		{"missing-next", "a step leads nowhere", "步骤没有写下一步", false},
		{"missing-outcome", "`next` leaves an outcome out", "`next` 漏写了结果", false},
		{"missing-target", "a queue names no target; the message tells what holds", "队列没有写 `target`；说明中给出默认值", true},
		{"missing-verb", "a step does nothing", "步骤没有动作", false},
		{"name", "a name has other characters than a-z, 0-9 and `_`", "名称中有 a-z、0-9 和 `_` 以外的字符", false},
		{"next", "`end` has a `next` or an `if`", "`end` 带有 `next` 或 `if`", false},
		{"no-recogniser", "speech is listened to and nothing recognises it: an error where keys do not work", "要听语音，却没有语音识别器；不能用按键时是错误", true},
		{"nobody-serves", "no agent is in a team that serves the queue", "没有客服属于服务该队列的团队", true},
		{"not-ascending", "the parts of `relax` or `overflow` are not in the order of their times", "`relax` 或 `overflow` 的各项没有按时间先后排列", false},
		{"out-of-range", "a figure is too small or too large", "数值过小或过大", false},
		{"outcome-scope", "`outcome` is used where the customer has not left", "客户还没有离开，却用了 `outcome`", false},
		{"owner", "whom a ticket goes to is not written `agent:`, `team:` or `queue:` and a name", "工单的负责人没有写成 `agent:`、`team:` 或 `queue:` 加名称", false},
		{"pattern", "a pattern is no RE2 expression", "`pattern` 不是 RE2 正则表达式", false},
		{"phrases-collide", "a phrase is used twice in one menu", "同一菜单中一个短语用了两次", false},
		{"placeholder", "a text holds `{{x}}`, or `{x}` or `$x` with a name of the flow, which nothing is filled into", "文字中有 `{{x}}`，或带有流程变量名的 `{x}`、`$x`，这些不会被替换", false},
		{"priority-capped", "a step gives more of a head start than the policy lets count", "步骤给的提前量超过策略允许的上限", true},
		{"range", "a `range` is not written `1..5`", "`range` 没有写成 `1..5` 的形式", false},
		{"recording", "a recorded entry reaches a person before the caller was told", "从录音的入口来的客户尚未被告知录音，就会接到真人", false},
		{"recursion", "a flow calls itself, perhaps through others", "流程调用自身，也可能是经由其他流程", false},
		{"reserved-name", "a name has a meaning of its own", "该名称另有专门的含义", false},
		{"returns", "what a called flow returns and what is expected differ", "被调用的流程交还的内容与要取的不一致", false},
		{"secret", "an answer is called secret and its variable is not", "回答标为机密，而存放它的变量不是机密", false},
		{"secret-leak", "a secret would reach a place where it must not go", "机密会到达它不得进入的地方", false},
		{"several-verbs", "a step has two verbs", "一个步骤有两个动作", false},
		{"skill", "a skill, or what asks for one, is written with other characters or without a level from 1 to 9", "技能或所需技能含有其他字符，或级别不在 1 到 9 之间", false},
		{"sms-encoding", "one character makes an SMS dearer: it is not in the GSM alphabet", "一个字符不在 GSM 字符集中，使短信费用增加", true},
		{"sms-length", "a text goes out as several SMS parts", "文字会拆成多条短信发送", true},
		{"subflow", "a flow without `outcomes` is called", "被调用的流程没有写 `outcomes`", false},
		{"survey", "a survey has more than five questions, or is to be asked later by voice alone", "调查超过五个问题，或只用语音而要求稍后再问", false},
		{"survey-by-voice", "a survey asks callers nothing: none of its questions can be answered by keys", "调查中没有可用按键回答的问题，来电客户什么也不会被问到", true},
		{"syntax", "the file is not YAML; it is the only error shown for the file", "文件不是正确的 YAML；对该文件只报告这一个错误", false},
		{"tag", "the file holds a YAML tag", "文件中有 YAML 标签", false},
		{"time-zone", "a time zone does not exist", "时区不存在", false},
		{"too-deep", "values are nested too deep", "值的嵌套层数过多", false},
		{"transfer-to", "an address to transfer to is none", "转接的地址不是有效地址", false},
		{"unknown-agent", "there is no such agent", "没有这个客服", false},
		{"unknown-box", "there is no such box", "没有这个信箱", false},
		{"unknown-calendar", "there is no such calendar", "没有这个日历", false},
		{"unknown-check", "there is no such identity check, or none is named where it could be one of several", "没有这个身份核验，或有多个而没有写明是哪一个", false},
		{"unknown-classifier", "there is no such classifier", "没有这个分类器", false},
		{"unknown-field", "a form has no such field", "表单没有这个字段", false},
		{"unknown-flow", "there is no such flow", "没有这个流程", false},
		{"unknown-form", "there is no such form", "没有这个表单", false},
		{"unknown-key", "a field does not exist; the nearest is named", "没有这个键；说明中给出最接近的", false},
		{"unknown-knowledge", "there is no such knowledge folder", "没有这个知识目录", false},
		{"unknown-language", "a language is not one of the flow's", "流程的 `languages` 中没有这种语言", false},
		{"unknown-level", "a queue does not have the customer's level", "队列没有这个客户级别", false},
		{"unknown-operation", "there is no such operation", "没有这个操作", false},
		{"unknown-outcome", "an outcome does not exist, or its condition is missing", "没有这个结果，或缺少它所需的条件", false},
		{"unknown-prompt", "there is no such prompt", "没有这个提示语", false},
		{"unknown-queue", "there is no such queue", "没有这个队列", false},
		{"unknown-skill", "nobody who serves the queue has the skill, relaxed as far as it may be", "服务该队列的客服都没有这项技能，放宽之后也没有", true},
		{"unknown-step", "there is no such step", "没有这个步骤", false},
		{"unknown-team", "there is no such team", "没有这个团队", false},
		{"unknown-variable", "there is no such variable or input", "没有这个变量或输入", false},
		{"unknown-verb", "there is no such verb", "没有这个动作", false},
		{"unknown-word", "a field takes one of a few words, and this is none", "该键只能取几个固定的词，这里写的不在其中", false},
		{"unquoted", "an unquoted number, yes, no or null stands where text is meant", "该写文字的地方写了没有加引号的数字、yes、no 或 null", false},
		{"unreachable-step", "no path leads to a step", "没有路径通向该步骤", true},
		{"unsafe-retry", "a `post` or `patch` is repeated without `idempotent: true`", "`post` 或 `patch` 会重复发送，而没有写 `idempotent: true`", false},
		{"unused-level", "no step puts anybody in line with a level of the queue", "没有步骤以队列的这个级别让客户排队", true},
		{"unused-prompt", "no step says a prompt", "没有步骤使用该提示语", true},
		{"url", "an address is not `https://HOST/…`", "网址不是 `https://主机/…` 的形式", false},
		{"weekday", "a day of the week is not `mon` to `sun`", "星期没有用 `mon` 到 `sun` 书写", false},
		{"wrong-type", "a value has the wrong form", "值的形式不对", false},
	}
}

// RuleByID finds a rule; ok is false if there is none of that name.
func RuleByID(id string) (Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}
