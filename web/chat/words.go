package chat

import "time"

// Codes of refused frames. docs/chat-protocol.md says what each means.
const (
	codeTooFast = "too_fast"
	codeTooLong = "too_long"
	codeNotNow  = "not_now"
	codeBad     = "bad"
	codeFull    = "full"
	codeClosed  = "closed"
)

// words are said to the customer where the code alone would say too little.
type words map[string]string

var (
	wordsFast       = words{"en": "That was too fast. Wait a moment, then send it again.", "zh-CN": "发送得太快了，请稍候再发。"}
	wordsLong       = words{"en": "This message is longer than 4,000 characters. Send it in parts.", "zh-CN": "消息超过 4000 个字符，请分几条发送。"}
	wordsStore      = words{"en": "Your message cannot be kept at the moment. It will be sent again.", "zh-CN": "暂时无法保存您的消息，稍后会重新发送。"}
	wordsSecret     = words{"en": "No secret is asked for now, so what you typed was not kept. Answer the newest question.", "zh-CN": "现在不需要输入密码，您刚才输入的内容没有保存。请回答最新的问题。"}
	wordsBad        = words{"en": "This message could not be read.", "zh-CN": "无法识别这条消息。"}
	wordsEmpty      = words{"en": "This message is empty.", "zh-CN": "消息是空的。"}
	wordsAttachment = words{"en": "This picture is no longer here. Choose it again.", "zh-CN": "图片已失效，请重新选择。"}
	wordsFull       = words{"en": "Too many conversations were begun from your network. Try again later.", "zh-CN": "您所在的网络发起的会话过多，请稍后再试。"}
	wordsClosed     = words{"en": "This conversation is closed.", "zh-CN": "此会话已关闭。"}
)

func refusal(id, code string, say words, wait time.Duration) refused {
	return refused{T: kindRefused, ID: id, Code: code, Message: say, RetryAfter: seconds(wait)}
}
