package schema

import "strings"

// Term is a name with its sentence in both languages.
type Term struct{ Name, Detail, en, zh string }

// About is the sentence in a language.
func (t *Term) About(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return t.zh
	}
	return t.en
}

func find(list []Term, name string) *Term {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// outcomes says what each outcome means, of a single verb as VERB.OUTCOME.
func outcomes() []Term {
	return []Term{
		{"done", "", "It is done.", "已完成。"},
		{"no_input", "", "Nothing came, as often as it was asked.", "多次询问仍无输入。"},
		{"no_match", "", "What came did not fit, as often as it was asked.", "多次询问,输入均不合适。"},
		{"open", "", "It is open.", "营业中。"},
		{"closed", "", "It is closed.", "已打烊。"},
		{"holiday", "", "It is a holiday.", "节假日。"},
		{"not_found", "", "The other system knows no such thing: it answers with 404.", "对方系统查无此项:答复的状态码为 404。"},
		{"timeout", "", "No answer came in time.", "超时未答复。"},
		{"sent", "", "It was sent.", "已发送。"},
		{"declined", "", "The customer did not want to.", "客户拒绝。"},
		{"accepted", "", "The customer goes on by the other channel.", "客户换到另一渠道继续。"},
		{"passed", "", "The customer is known as well as was asked.", "身份已确认到所需级别。"},
		{"max_wait", "", "The longest wait is over.", "等候已达最长时间。"},
		{"full", "", "The line is full.", "队列已满。"},
		{"no_agents", "", "Nobody is at work.", "没有客服在岗。"},
		{"callback", "", "A call was booked instead.", "已改为预约回电。"},
		{"busy", "", "The other one is busy.", "对方占线。"},
		{"no_answer", "", "Nobody answered.", "无人接听。"},
		{"booked", "", "It is booked.", "已预约。"},
		{"left", "", "A message was left.", "已留言。"},
		{"too_short", "", "It was too short to keep.", "时间太短,未保存。"},
		{"yes", "", "Yes.", "同意。"},
		{"no", "", "No.", "不同意。"},
		{"menu.none", "", "The list that the choices come from is empty.", "生成选项的列表为空。"},
		{"collect.ok", "", "The answer fits and is in the variable.", "答案合适,已存入变量。"},
		{"branch.else", "", "No condition holds.", "所有条件都不成立。"},
		{"http.ok", "", "The other system answered with a status from 200 to 299, and the answer fits the variable.", "对方答复的状态码在 200 至 299 之间,内容与变量相符。"},
		{"http.error", "", "The other system cannot be reached, answers with any other status, or the answer does not fit the variable.", "无法连接对方、状态码为其他值,或内容与变量不符。"},
		{"link.done", "", "The customer finished the page; without wait: the link was sent.", "客户已在页面上办完;未写 wait 时:链接已发出。"},
		{"link.opened", "", "The page was opened, and not finished when the wait was over.", "页面已打开,但等待结束时尚未办完。"},
		{"link.expired", "", "The page was not opened while the step waited.", "等待期间页面未打开。"},
		{"link.undeliverable", "", "The link could be sent by none of the ways.", "各种方式都无法发出链接。"},
		{"handoff.undeliverable", "", "The customer cannot be reached by the other channel.", "无法通过另一渠道联系到客户。"},
		{"message.undeliverable", "", "The message could be sent by none of the ways.", "各种方式都无法发出消息。"},
		{"identify.failed", "", "The customer could not show the level that was asked.", "客户未能通过核实。"},
		{"identify.unsupported", "", "None of the methods is possible for this customer on this channel.", "在此渠道上,各种方法对该客户都不可行。"},
		{"resume.failed", "", "The number and the check did not both hold, or there is nothing to go on with; which of them is not told.", "号码或核实未通过,或没有可继续的事;不说明是哪一种。"},
		{"resume.declined", "", "The customer gave no number, or did not want to.", "客户没有给出号码,或不愿继续。"},
		{"classify.done", "", "At least one rule held.", "至少有一条规则成立。"},
		{"classify.unsure", "", "No rule held.", "没有规则成立。"},
		{"answer.answered", "", "An article was said.", "已说出一篇文章。"},
		{"answer.unsure", "", "No article reaches min_score.", "没有文章达到 min_score。"},
		{"queue.answered", "", "An agent took the customer, and the two have parted or the agent hands back.", "客服已接待,双方已结束或客服已交还。"},
		{"transfer.ok", "", "The two were connected and have parted.", "双方已接通并已结束。"},
		{"transfer.failed", "", "The address cannot be reached.", "无法接通该地址。"},
		{"record.done", "", "The recording is in the variable.", "录音已存入变量。"},
		{"ticket.opened", "", "The ticket is open.", "工单已建立。"},
		{"consent.no_input", "", "No answer came, or none that is yes or no, as often as it was asked.", "多次询问,未得到“是”或“否”的回答。"},
		{"survey.done", "", "The questions were answered; with after: they will be asked.", "已回答;写了 after 时:届时会问。"},
		{"survey.skipped", "", "The customer did not answer, or cannot be asked; also where if is false.", "客户未作答或无法询问;if 不成立时亦然。"},
		{Else, "", "The rest of the verb's outcomes, and skipped.", "该动作的其余结果,以及 skipped。"},
		{Skipped, "", "It was passed over.", "已跳过。"},
		{Loop, "", "The step has run max_visits times.", "步骤已运行 max_visits 次。"},
		{NotAssured, "", "The customer is not known as well as needs says.", "客户身份未达到 needs 的级别。"},
	}
}

// AboutOutcome says in a language what an outcome of a verb means.
func AboutOutcome(verb, name, lang string) string {
	all := outcomes()
	t := find(all, verb+"."+name)
	if t == nil && (verb != "subflow" || name == Else || name == Skipped || name == Loop || name == NotAssured) {
		t = find(all, name) // what the outcomes of a called flow mean, its author knows
	}
	if t != nil {
		return t.About(lang)
	}
	return ""
}

// Builtins are the names that every expression knows, with their types.
func Builtins() []Term {
	return []Term{
		{"channel", "voice, chat or sms", "The channel at hand.", "当前渠道。"},
		{"lang", "text", "The language spoken, as en or zh-CN.", "当前语言,如 en、zh-CN。"},
		{"entry", "text", "The number or page that was reached.", "客户拨打的号码或打开的页面。"},
		{"now", "date and time", "The present, in the zone of the flow's calendar.", "当前时间,按流程日历的时区。"},
		{"outcome", "text", "What was going on when the customer left: the name of the step, answered if an agent had them, or moved if they had asked in line for the way to chat or texts; only in steps that on_leave leads to.", "客户离开时正在进行的步骤名,客服正在接待时为 answered,排队时已选择转到聊天或短信为 moved;仅用于 on_leave 之后的步骤。"},
		{"caller", "object", "Who the customer is.", "客户信息。"},
		{"caller.number", "phone", "The customer's number, empty if withheld.", "客户号码;隐藏时为空。"},
		{"caller.phone", "phone", "A phone number that was proved to be the customer's, on whatever channel; empty while none is.", "已证实属于客户的电话号码,不论在哪个渠道;尚未证实时为空。"},
		{"caller.customer", "text", "The customer's name in Tandem's records, empty if not known.", "客户在 Tandem 记录中的标识;未知时为空。"},
		{"caller.assurance", "none, recognised, verified or proofed", "How well the customer is known.", "客户身份级别。"},
		{"interaction", "object", "This interaction.", "本次交互。"},
		{"interaction.number", "text", "Its number.", "交互编号。"},
		{"queue", "object", "The line that the customer was last in.", "客户上次所在的队列。"},
		{"queue.name", "text", "Its name.", "队列名。"},
		{"queue.position", "int", "The place in it.", "排队位置。"},
		{"queue.at_least", "duration", "The shortest wait to expect.", "预计最短等候时间。"},
		{"queue.at_most", "duration", "The longest wait to expect.", "预计最长等候时间。"},
		{"link", "object", "The link that is sent; only in the prompt of link and handoff.", "所发送的链接;仅用于 link 和 handoff 的提示语。"},
		{"link.url", "text", "Its address.", "链接地址。"},
		{"settings", "object", "The operator's values, flows.settings in the configuration.", "运营方设置的值,即配置中的 flows.settings。"},
	}
}

// ReplyNames are those of Builtins that replies have, too.
func ReplyNames() []string {
	return []string{"channel", "lang", "now", "interaction", "interaction.number", "queue", "queue.name", "settings"}
}

// ReplyBuiltins are names that replies alone have.
func ReplyBuiltins() []Term {
	return []Term{
		{"customer", "object", "Whom the agent writes to.", "正在接待的客户。"},
		{"customer.name", "text", "What a flow has put into its variable customer_name or name; missing while none has.", "流程变量 customer_name 或 name 的值;没有时为缺失。"},
		{"customer.phone", "text", "Their number, as it was proved or as they call from it.", "客户号码,已证实的或来电显示的。"},
		{"agent", "object", "Who writes.", "发送回复的客服。"},
		{"agent.name", "text", "The name that customers know them by.", "客户看到的客服名。"},
	}
}

// Functions are the helpers of expressions with their signatures.
func Functions() []Term {
	return []Term{
		{"money", "money(amount) or money(amount, 'USD')", "An amount, said and written as one.", "按金额读写。"},
		{"date", "date(when)", "The date of a time.", "时间中的日期。"},
		{"time", "time(when)", "The time of day of a time.", "时间中的钟点。"},
		{"digits", "digits(value)", "Said digit by digit.", "逐位读出。"},
		{"mask", "mask(value) or mask(value, shown)", "Shows the last characters only, and makes a secret fit to be said.", "只显示末几位,使机密可以说出。"},
		{"plural", "plural(count, 'one', 'many')", "The word for one or for another count.", "按数量选词。"},
		{"in_hours", "in_hours('calendar')", "Whether a calendar is open now.", "日历现在是否营业。"},
		{"int", "int(value)", "A whole number.", "转为整数。"},
		{"decimal", "decimal(value)", "A number.", "转为小数。"},
		{"text", "text(value)", "A text.", "转为文字。"},
		{"round", "round(number) or round(number, places)", "Rounded.", "四舍五入。"},
		{"upper", "upper(text)", "In capital letters.", "转为大写。"},
		{"lower", "lower(text)", "In small letters.", "转为小写。"},
		{"trim", "trim(text)", "Without blanks at its ends.", "去掉首尾空格。"},
		{"len", "len(text or list)", "How long it is.", "长度。"},
		{"any", "any(list, # > 1)", "Whether the condition holds for an element; # is the element.", "是否有元素满足条件;# 表示元素。"},
		{"all", "all(list, # > 1)", "Whether it holds for every element.", "是否所有元素都满足条件。"},
		{"none", "none(list, # > 1)", "Whether it holds for no element.", "是否没有元素满足条件。"},
		{"count", "count(list, # > 1)", "For how many elements it holds.", "满足条件的元素个数。"},
		{"filter", "filter(list, # > 1)", "The elements for which it holds.", "满足条件的元素。"},
	}
}
