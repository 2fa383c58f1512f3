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
	codeAnother = "conflict"
	codeForbid  = "forbidden"
)

// words are said to the customer where the code alone would say too little.
type words map[string]string

var (
	wordsFast       = words{"en": "That was too fast. Wait a moment, then send it again.", "zh-CN": "发送过于频繁，请稍后再发。"}
	wordsLong       = words{"en": "This message is longer than 4,000 characters. Send it in parts.", "zh-CN": "消息超过 4000 个字符，请分条发送。"}
	wordsStore      = words{"en": "Your message cannot be kept at the moment. It will be sent again.", "zh-CN": "暂时无法保存您的消息，稍后会重新发送。"}
	wordsSecret     = words{"en": "No secret is asked for now, so what you typed was not kept. Answer the newest question.", "zh-CN": "现在不需要输入密码，您刚才输入的内容没有保存。请回答最新的问题。"}
	wordsBad        = words{"en": "This message could not be read. Write it again.", "zh-CN": "无法识别这条消息，请重新输入。"}
	wordsEmpty      = words{"en": "This message is empty. Write something first.", "zh-CN": "消息内容为空，请输入后再发送。"}
	wordsAttachment = words{"en": "This picture is no longer here. Choose it again.", "zh-CN": "图片已失效，请重新选择。"}
	wordsFull       = words{"en": "Too many conversations were begun from your network. Try again later.", "zh-CN": "您所在网络发起的对话过多，请稍后再试。"}
	wordsSignals    = words{"en": "The connection for voice and pictures is asked for too often. Wait a moment.", "zh-CN": "语音视频连接请求过于频繁，请稍候。"}
	wordsAnother    = words{"en": "This has changed meanwhile. Look at what is shown now, and choose again.", "zh-CN": "情况已发生变化，请查看当前内容后重新选择。"}
	wordsElsewhere  = words{"en": "Voice and pictures are on another device or page of yours. Go on there, or end them first.", "zh-CN": "您正在另一设备或页面上进行语音视频，请在那里继续，或先结束后再试。"}
	wordsForbidden  = words{"en": "This cannot be done here. Write to us instead.", "zh-CN": "此处无法进行该操作，请直接发消息给我们。"}
	wordsNotNow     = words{"en": "This cannot be done at the moment. Try again soon; you can go on writing.", "zh-CN": "暂时无法进行，请稍后再试；您可以继续发消息。"}
	wordsNoFace     = words{"en": "Voice and pictures are not offered here. You can go on writing.", "zh-CN": "此处不提供语音和视频，您可以继续发消息。"}
	wordsCodes      = words{"en": "Too many codes were tried. Wait a minute, then type the newest one.", "zh-CN": "验证码尝试次数过多，请一分钟后输入最新的验证码。"}
	wordsClosed     = words{"en": "This conversation is closed. Load the page again to begin another.", "zh-CN": "此对话已结束，请刷新页面后重新开始。"}
)

func refusal(id, code string, say words, wait time.Duration) refused {
	return refused{T: kindRefused, ID: id, Code: code, Message: say, RetryAfter: seconds(wait)}
}
