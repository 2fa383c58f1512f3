package link

import (
	"fmt"
	"strings"

	"tandem/bridge/ticket"
	"tandem/ivr/flow/expression"
)

// words are what the pages say of their own, in one language.
type words struct {
	Tag, Name string // of the language

	Neutral, NeutralFrom, NeutralText, NeutralOnce, NeutralNotMine, Open string
	LostText                                                             string
	Unusable, UnusableText, UnusableNext                                 string
	Busy, BusyText, Long, LongText, Down, DownText                       string
	Prove, Told, ToldOnly, Code, Answer, GoOn, Again, SentAgain, TooSoon string
	Wrong, WrongOnce                                                     string
	NoFactor, NoFactorText                                               string
	Fill, Confirm, NotNow, Optional, Choose, Yes, No                     string
	ErrorTitle, Mistake, Mistakes, FromTo, MinuteLeft, MinutesLeft       string
	Stale                                                                string
	Done, DoneText, Since, New                                           string
	Declined, DeclinedText                                               string
	Go, GoText, GoHere, GoThere                                          string
	Beside, BesideText, BesideHere                                       string
	Language                                                             string

	Ticket, TicketFrom, Status, DueBy, WasDueBy, DoneAt, Opened, Late string
	News, NoNews, Reload, TicketUse                                   string
	Statuses                                                          map[string]string // by ticket.Status…

	Faults map[fault]string
}

// plural puts a number into the sentence for one or the one for more.
func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(more, n)
}

// From says who sent the link.
func (w *words) From(name string) string {
	if name == "" {
		return w.Neutral
	}
	return fmt.Sprintf(w.NeutralFrom, name)
}

// Count says how many mistakes there are.
func (w *words) Count(n int) string { return plural(n, w.Mistake, w.Mistakes) }

// fault says what is wrong with an answer.
func (w *words) fault(f fault, a asked) string {
	switch f {
	case "":
		return ""
	case faultLong:
		most := maxShort
		if a.Type.Kind == expression.Text {
			most = maxText
		}
		return fmt.Sprintf(w.Faults[f], most)
	case faultRange:
		return fmt.Sprintf(w.Faults[f], a.Least, a.Most)
	}
	if s := w.Faults[f]; s != "" {
		return s
	}
	return w.Faults[faultChoose]
}

func wordsByTag() map[string]*words {
	out := map[string]*words{}
	for _, w := range allWords() {
		out[w.Tag] = w
	}
	return out
}

func allWords() []*words { return []*words{&english, &chinese} }

var english = words{
	Tag: "en", Name: "English", Language: "Language",

	Neutral: "A link for you", NeutralFrom: "%s sent you this link",
	NeutralText: "Press the button to open it. Nothing happens before you do.",
	NeutralOnce: "It works once, in the browser that opens it first.", NeutralNotMine: "If you did not ask for it, close this page.",
	Open:     "Open",
	LostText: "To go on, open the link in your message again.",

	Unusable: "This link cannot be used", UnusableText: "It may have run out, may have been used already, or may have been opened in another browser.",
	UnusableNext: "Ask for a new one where you got it: in the call, in the chat, or by answering the text message.",
	Busy:         "Too many tries", BusyText: "Wait a minute, then load this page again.",
	Long: "That is too much text", LongText: "Go back, shorten your answers, and press the button again.",
	Down: "This does not work at the moment", DownText: "Nothing was done. Wait a minute, then go back and try again.",

	Prove: "Is it you?", Told: "Type the six digits that you were told in the call or in the chat.",
	ToldOnly: "The code is for this page only. Do not read it to anybody.", Code: "Code", Answer: "Your answer", GoOn: "Go on",
	Again: "Send a new code", SentAgain: "A new code is on its way.", TooSoon: "A new code can be sent every 30 seconds, three times in all.",
	Wrong: "That was not right. You can try %d more times.", WrongOnce: "That was not right. You can try once more.",
	NoFactor: "We cannot see here who you are", NoFactorText: "Call us, or ask in the chat, and somebody will help you with this.",

	Fill: "Please fill this in", Confirm: "Send", NotNow: "Not now", Optional: "optional", Choose: "Choose", Yes: "Yes", No: "No",
	ErrorTitle: "Mistake: ", Mistake: "One answer is not right yet", Mistakes: "%d answers are not right yet",
	FromTo: "From %d to %d", MinuteLeft: "This page can be used for about a minute more.", MinutesLeft: "This page can be used for about %d minutes more.",
	Stale: "This page was open for a long time. Please press the button again.",

	Done: "Done", DoneText: "It is done. You can close this page.", Since: "Since then", New: "Show what is new",
	Declined: "Not now", DeclinedText: "You chose not to do this now. Nothing was done. You can close this page.",
	Beside: "A page beside your call", BesideText: "Stay on the phone. On this page you can write, and show things to who you speak with if you want to; nothing is shown before you agree.", BesideHere: "Open the page",
	Go: "Go on here", GoText: "Your conversation goes on in this browser, where you left it.", GoHere: "Go on here", GoThere: "One moment, you are taken there. If nothing happens, allow JavaScript for this page and open the link again.",

	Ticket: "Your request %s", TicketFrom: "Your request %s at %s", Status: "Status", DueBy: "Done by", WasDueBy: "Promised for", DoneAt: "Done", Opened: "Received",
	Late: "This takes longer than we said. We are sorry, and have not forgotten it.",
	News: "What we told you", NoNews: "Nothing yet. We write here when there is news.", Reload: "Look again",
	TicketUse: "Keep this address to yourself: whoever has it sees this page.",
	Statuses: map[string]string{
		ticket.StatusOpen: "Received, not begun yet", ticket.StatusWorking: "We are working on it", ticket.StatusWaiting: "Waiting", ticket.StatusDone: "Done",
	},

	Faults: map[fault]string{
		faultMissing: "Fill this in.", faultChoose: "Choose one.", faultLong: "At most %d characters.",
		faultSigns: "It has characters that cannot be kept. Type it anew.", faultRange: "A whole number from %d to %d.",
		fault(expression.Text): "This cannot be kept. Type it anew.", fault(expression.Digits): "Digits only.", fault(expression.Int): "A whole number, such as 12.",
		fault(expression.Decimal): "A number, such as 12.5.", fault(expression.Money): "An amount, such as 120.50.",
		fault(expression.Date): "A date, such as 2026-11-23.", fault(expression.Time): "A time, such as 09:30.",
		fault(expression.Phone): "A phone number in digits, with + before a country code.", fault(expression.Email): "A mail address, such as name@example.com.",
	},
}

var chinese = words{
	Tag: "zh-CN", Name: "中文", Language: "语言",

	Neutral: "给您的链接", NeutralFrom: "%s向您发送了此链接",
	NeutralText: "请点击下面的按钮打开。在此之前不会进行任何操作。",
	NeutralOnce: "链接只能使用一次，并且只能在最先打开它的浏览器中使用。", NeutralNotMine: "如非您本人申请，请关闭本页。",
	Open:     "打开",
	LostText: "如需继续，请在您收到的消息中重新打开链接。",

	Unusable: "此链接无法使用", UnusableText: "它可能已过期、已使用，或已在其他浏览器中打开。",
	UnusableNext: "请在原渠道重新获取：在通话或聊天中提出，或直接回复短信。",
	Busy:         "尝试次数过多", BusyText: "请一分钟后刷新本页。",
	Long: "内容过长", LongText: "请返回，缩短所填内容后重新提交。",
	Down: "暂时无法办理", DownText: "没有进行任何操作。请一分钟后返回重试。",

	Prove: "请确认是您本人", Told: "请输入通话或聊天中告诉您的六位数字。",
	ToldOnly: "此验证码仅用于本页，请勿告诉任何人。", Code: "验证码", Answer: "您的回答", GoOn: "继续",
	Again: "重新发送验证码", SentAgain: "新的验证码已发出。", TooSoon: "每30秒可重新发送一次验证码，最多三次。",
	Wrong: "输入不正确，您还可以尝试%d次。", WrongOnce: "输入不正确，您还可以尝试1次。",
	NoFactor: "这里无法确认您的身份", NoFactorText: "请致电我们或在聊天中咨询，由客服为您办理。",

	Fill: "请填写", Confirm: "提交", NotNow: "暂不办理", Optional: "选填", Choose: "请选择", Yes: "是", No: "否",
	ErrorTitle: "有误：", Mistake: "有1项需要修改", Mistakes: "有%d项需要修改",
	FromTo: "%d到%d", MinuteLeft: "本页还可使用约1分钟。", MinutesLeft: "本页还可使用约%d分钟。",
	Stale: "本页打开时间较长，请再点击一次按钮。",

	Done: "已办理", DoneText: "办理完成，您可以关闭本页。", Since: "之后的消息", New: "查看新消息",
	Declined: "暂不办理", DeclinedText: "您选择了暂不办理，没有进行任何操作。您可以关闭本页。",
	Beside: "通话辅助页面", BesideText: "请不要挂断电话。您可以在此页面上打字，也可以在愿意时向通话中的同事展示画面；在您同意之前，不会显示任何画面。", BesideHere: "打开页面",
	Go: "在这里继续", GoText: "您的对话将在此浏览器中从上次中断处继续。", GoHere: "在这里继续", GoThere: "正在为您跳转，请稍候。若页面没有反应，请允许本页使用 JavaScript，然后重新打开链接。",

	Ticket: "您的受理单 %s", TicketFrom: "您在%[2]s的受理单 %[1]s", Status: "状态", DueBy: "预计完成", WasDueBy: "原定完成", DoneAt: "完成时间", Opened: "受理时间",
	Late: "处理时间比预计的长，非常抱歉，我们仍在跟进。",
	News: "我们的回复", NoNews: "暂无消息，有进展会写在这里。", Reload: "刷新",
	TicketUse: "请勿转发本页地址：持有该地址的人都能看到本页。",
	Statuses: map[string]string{
		ticket.StatusOpen: "已受理，尚未开始", ticket.StatusWorking: "正在处理", ticket.StatusWaiting: "等待中", ticket.StatusDone: "已完成",
	},

	Faults: map[fault]string{
		faultMissing: "请填写此项。", faultChoose: "请选择一项。", faultLong: "最多%d个字符。",
		faultSigns: "含有无法保存的字符，请重新输入。", faultRange: "请填写%d到%d之间的整数。",
		fault(expression.Text): "无法保存，请重新输入。", fault(expression.Digits): "只能填写数字。", fault(expression.Int): "请填写整数，例如12。",
		fault(expression.Decimal): "请填写数字，例如12.5。", fault(expression.Money): "请填写金额，例如120.50。",
		fault(expression.Date): "请填写日期，例如2026-11-23。", fault(expression.Time): "请填写时间，例如09:30。",
		fault(expression.Phone): "请填写电话号码，国家代码前加+。", fault(expression.Email): "请填写电子邮箱，例如name@example.com。",
	},
}

// Describe is the ids of the hint and the error of the code.
func (v view) Describe() string {
	ids := []string{"code-hint"}
	if v.Wrong != "" {
		ids = append(ids, "code-error")
	}
	return strings.Join(ids, " ")
}
