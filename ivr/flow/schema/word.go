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

// outcomes says what each outcome means.
func outcomes() []Term {
	return []Term{
		{"done", "", "It is done.", "已完成。"},
		{"ok", "", "It went well.", "成功。"},
		{"no_input", "", "Nothing came, as often as it was asked.", "多次询问仍无输入。"},
		{"no_match", "", "What came did not fit, as often as it was asked.", "多次询问,输入均不合适。"},
		{"none", "", "The list is empty.", "列表为空。"},
		{"open", "", "It is open.", "营业中。"},
		{"closed", "", "It is closed.", "已打烊。"},
		{"holiday", "", "It is a holiday.", "节假日。"},
		{"not_found", "", "The other system knows no such thing (404 or 410).", "对方系统查无此项(404 或 410)。"},
		{"timeout", "", "No answer came in time.", "超时未答复。"},
		{"error", "", "The other system failed or refused.", "对方系统出错或拒绝。"},
		{"sent", "", "It was sent.", "已发送。"},
		{"undeliverable", "", "No way works.", "各种方式都送达不了。"},
		{"opened", "", "It was opened and not finished in time.", "已打开,但未按时办完。"},
		{"expired", "", "It was never opened.", "始终未打开。"},
		{"declined", "", "The customer did not want to.", "客户拒绝。"},
		{"accepted", "", "The customer goes on by the other channel.", "客户换到另一渠道继续。"},
		{"passed", "", "The customer is known as well as was asked.", "身份已确认到所需级别。"},
		{"failed", "", "It failed.", "未成功。"},
		{"unsupported", "", "It is not possible here.", "此处无法进行。"},
		{"unsure", "", "Nothing fits well enough.", "没有足够匹配的内容。"},
		{"answered", "", "It was answered.", "已接听或已回答。"},
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
		{Else, "", "The rest of the verb's outcomes, and skipped.", "该动作的其余结果,以及 skipped。"},
		{Skipped, "", "It was passed over.", "已跳过。"},
		{Loop, "", "The step has run max_visits times.", "步骤已运行 max_visits 次。"},
		{NotAssured, "", "The customer is not known as well as needs says.", "客户身份未达到 needs 的级别。"},
	}
}

// AboutOutcome says in a language what an outcome means.
func AboutOutcome(name, lang string) string {
	if t := find(outcomes(), name); t != nil {
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
		{"outcome", "text", "What was going on when the customer left; only in steps that on_leave leads to.", "客户离开时正在进行的事;仅用于 on_leave 之后的步骤。"},
		{"caller", "object", "Who the customer is.", "客户信息。"},
		{"caller.number", "phone", "The customer's number, empty if withheld.", "客户号码;隐藏时为空。"},
		{"caller.customer", "text", "The customer's name in your records, empty if not known.", "客户在贵方记录中的标识;未知时为空。"},
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
