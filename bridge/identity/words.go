package identity

import (
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

// Phrase is one sentence of the talks, in one language, as the pieces of text around its
// values: what there has to be recordings of.
type Phrase struct {
	Name   string // of the prompt, identity_…
	Lang   string // en or zh-CN
	Pieces []string
}

// phrase is a sentence in each language; {} is where the last digits of a number go.
type phrase struct{ name, en, zh string }

// phrases is every sentence of the talks. Where it says "enter", a caller presses keys
// and others type.
func phrases() []phrase {
	return []phrase{
		{"identity_code_sent", "We have sent a code of six digits to the phone ending in {}. Please enter it.", "我们已向尾号为{}的手机发送了六位验证码。请输入。"},
		{"identity_code_mailed", "We have sent a code of six digits to your mail address. Please enter it.", "我们已向您的邮箱发送了六位验证码。请输入。"},
		{"identity_code_ask", "Please enter the six digits of the code.", "请输入六位验证码。"},
		{"identity_code_wrong", "That code is not right, or too old. Please try again.", "验证码不正确或已过期。请再试一次。"},
		{"identity_code_too_soon", "A new code can be sent one minute after the last. Please enter the code.", "一分钟后才能重新发送。请输入验证码。"},
		{"identity_code_no_more", "No further code can be sent. Please enter the one that you have.", "不能再发送验证码了。请输入您收到的验证码。"},
		{"identity_code_keys", "For a new code, press 1. To stop, press 0.", "重新发送请按1，取消请按0。"},
		{"identity_phone_ask", "For this we need to know who you are. Please enter the mobile number that is registered with us.", "办理此业务需要确认您的身份。请输入您在我们这里登记的手机号码。"},
		{"identity_phone_again", "That is no mobile number. Please enter all of its digits.", "手机号码不正确。请输入完整的手机号码。"},
		{"identity_phone_elsewhere", "We cannot send a code to that number. Please enter another one.", "无法向该号码发送验证码。请输入其他手机号码。"},
		{"identity_pin_ask", "Please enter your PIN.", "请输入您的密码。"},
		{"identity_pin_wrong", "That PIN is not right. Please try again.", "密码不正确。请再试一次。"},
		{"identity_open_keys", "Press the pound key when you are done. To stop, press 0 and the pound key.", "输入完毕请按井号键。取消请按0和井号键。"},
		{"identity_question_wrong", "Not all of that was right. Please answer once more.", "回答不完全正确。请重新回答。"},
		{"identity_question_again", "Please enter the answer in digits.", "请用数字作答。"},
		{"identity_passed", "Thank you, that is right.", "谢谢，验证通过。"},
		{"identity_known", "From now on we know you by the phone ending in {}. You can have that undone at any time.", "今后我们将通过尾号为{}的手机识别您的身份。您可以随时取消。"},
		{"identity_bound", "This chat now belongs to the customer with the phone ending in {}. You can have that undone at any time.", "此聊天已与手机尾号为{}的客户绑定。您可以随时取消。"},
		{"identity_merged", "What you asked here before is kept together with it.", "您此前在这里的记录已与该客户合并。"},
		{"identity_failed", "That did not work.", "未能通过验证。"}, // the flow says what comes of it
		{"identity_locked", "Sorry, this is locked after too many wrong tries.", "抱歉，错误次数过多，已被锁定。"},
		{"identity_too_many", "Sorry, too many codes were asked for. Please try again later.", "抱歉，获取验证码次数过多。请稍后再试。"},
		{"identity_unavailable", "Sorry, we cannot check that right now.", "抱歉，目前无法进行验证。"},
		{"identity_declined", "All right, we leave it at that.", "好的，已取消。"},
		{"identity_resume_ask", "Please enter the eleven digits of the number you were given.", "请输入您的十一位业务编号。"},
		{"identity_resume_again", "That number cannot be right. Please look for a wrong digit and enter it again.", "编号不正确。请核对后重新输入。"},
		{"identity_resume_sent", "If that number is right, we have sent a code of six digits to the phone we know. Please enter it.", "如果编号正确，我们已向您登记的手机发送了六位验证码。请输入。"},
		{"identity_resume_again_sent", "If the number is right, we have sent a new code. Please enter it.", "如果编号正确，我们已重新发送验证码。请输入。"},
		{"identity_resume_found", "Thank you. We go on where you were.", "谢谢。我们从上次的地方继续。"},
	}
}

// Words is every sentence of the talks in each language, in a fixed order.
func Words() []Phrase {
	var all []Phrase
	for _, p := range phrases() {
		for _, lang := range languages() {
			all = append(all, Phrase{Name: p.name, Lang: lang, Pieces: strings.Split(p.in(lang), "{}")})
		}
	}
	return all
}

// languages are those the talks are held in, the first for customers of any other.
func languages() []string { return []string{"en", "zh-CN"} }

// spoken is the language of the talks that comes nearest to a customer's.
func spoken(lang string) string {
	if l, _, _ := strings.Cut(strings.ToLower(lang), "-"); l == "zh" || l == "cmn" || l == "yue" {
		return "zh-CN"
	}
	return "en"
}

func (p phrase) in(lang string) string {
	if lang == "zh-CN" {
		return p.zh
	}
	return p.en
}

// say is a sentence as something to play; digits go where it has a value.
func (t *talk) say(name, digits string) flow.Play {
	all := phrases()
	i := slices.IndexFunc(all, func(p phrase) bool { return p.name == name })
	lang := spoken(t.Lang)
	before, after, valued := strings.Cut(all[i].in(lang), "{}")
	parts := []tandem.Part{{Kind: tandem.PartText, Text: before}}
	if valued {
		parts = append(parts, tandem.Part{Kind: tandem.PartDigits, Text: digits, Value: digits}, tandem.Part{Kind: tandem.PartText, Text: after})
	}
	return flow.Play{Step: t.Step, Name: name, Lang: lang, Parts: parts, BargeIn: flow.BargeDTMF}
}

// labels are of what can be tapped, beside the keys for it.
func labels(lang string) (again, stop string) {
	if spoken(lang) == "zh-CN" {
		return "重新发送", "取消"
	}
	return "Send it again", "Stop"
}

// text is the letter with a code. It fits one part of a text message in either language.
func text(lang, code string) Letter {
	l := Letter{Lang: spoken(lang), Template: "code", Params: map[string]string{"code": code, "minutes": "5"}}
	l.Text = code + " is your code. It is valid for 5 minutes. Tell it to nobody who calls you."
	if l.Lang == "zh-CN" {
		l.Text = "验证码" + code + "，5分钟内有效。请勿告诉任何人。"
	}
	return l
}
