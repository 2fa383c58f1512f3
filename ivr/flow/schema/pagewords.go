package schema

import (
	"reflect"
	"strings"
)

// pageWords are the words of the reference around what the types say.
type pageWords struct {
	key, kind, what, does, name, function, outcomes, outcome, means string // heads of tables

	required, from, def         string
	each, none, called, example string
	also, list, mapOf, or       string
	channel, where              map[string]string
	types                       map[reflect.Type]string
}

func wordsIn(lang string) pageWords {
	if strings.HasPrefix(lang, "zh") {
		return chineseWords()
	}
	return pageWords{
		key: "key", kind: "type", what: "what it is", does: "what it does", name: "name", function: "function", outcomes: "outcomes", outcome: "outcome", means: "when",
		required: "(needed)", from: " From %s to %s.", def: " Default: %s.",
		each: "Below %s:", none: "Each key is a variable, each value an expression.", called: "those of the called flow", example: "Its test:",
		also: "with %s also %s", list: "list of %s", mapOf: "map of %s to %s", or: ", or ",
		channel: map[string]string{"voice": "voice", "chat": "chat", "sms": "sms"},
		where: map[string]string{
			"voice": " It runs on voice only.", "within": " To `sip:` and `tel:` it runs on voice only; to `agent:` and `queue:` everywhere.",
			"speech": " On voice it needs a recogniser for one of the flow's languages.", "seen": " `video` alone does not run by SMS, and on voice it goes by a link.",
		},
		types: map[reflect.Type]string{
			reflect.TypeFor[NewName](): "name", reflect.TypeFor[StepName](): "step", reflect.TypeFor[Target](): "step, `end` or `repeat`",
			reflect.TypeFor[Text](): "text", reflect.TypeFor[Plain](): "plain text", reflect.TypeFor[Expression](): "expression", reflect.TypeFor[Duration](): "duration",
			reflect.TypeFor[Count](): "number", reflect.TypeFor[Share](): "number", reflect.TypeFor[Digits](): "count or range", reflect.TypeFor[Range](): "range",
			reflect.TypeFor[Pattern](): "pattern", reflect.TypeFor[Keys](): "keys", reflect.TypeFor[YesNo](): "`true` or `false`", reflect.TypeFor[Language](): "language",
			reflect.TypeFor[Path](): "file", reflect.TypeFor[Date](): "date", reflect.TypeFor[Hours](): "hours, or `closed`", reflect.TypeFor[Days](): "day or days",
			reflect.TypeFor[Secrecy](): "`true` or `ephemeral`", reflect.TypeFor[Note](): "text", reflect.TypeFor[Any](): "any value", reflect.TypeFor[Outcome](): "outcome",
			reflect.TypeFor[Header](): "header", reflect.TypeFor[VariableName](): "variable", reflect.TypeFor[CalendarName](): "calendar", reflect.TypeFor[QueueName](): "queue",
			reflect.TypeFor[BoxName](): "box", reflect.TypeFor[FormName](): "form", reflect.TypeFor[OperationName](): "operation", reflect.TypeFor[ClassifierName](): "classifier",
			reflect.TypeFor[KnowledgeName](): "knowledge", reflect.TypeFor[FlowName](): "flow", reflect.TypeFor[PromptName](): "prompt", reflect.TypeFor[Prompt](): "prompt",
			reflect.TypeFor[PromptWords](): "words by language", reflect.TypeFor[map[Language]PlainWords](): "words by language", reflect.TypeFor[map[Language]Plain](): "words by language",
			reflect.TypeFor[Phrases](): "phrases by language", reflect.TypeFor[Type](): "type", reflect.TypeFor[Declared](): "type", reflect.TypeFor[StepBody](): "[step](#a-step)",
			reflect.TypeFor[Commands](): "[commands](#commands)", reflect.TypeFor[Defaults](): "`{ listen: … }`", reflect.TypeFor[Timeout](): "duration, or one for each channel",
			reflect.TypeFor[Next](): "step, or map of outcome to step",
		},
	}
}

func chineseWords() pageWords {
	return pageWords{
		key: "键", kind: "类型", what: "含义", does: "作用", name: "名称", function: "函数", outcomes: "结果", outcome: "结果", means: "何时",
		required: "(必填)", from: "范围 %s 至 %s。", def: "默认 %s。",
		each: "%s 之下:", none: "每个键是变量,每个值是表达式。", called: "被调用流程的结果", example: "对应的测试:",
		also: "有 %s 时还有 %s", list: "%s的列表", mapOf: "%s到%s的映射", or: "或",
		channel: map[string]string{"voice": "语音", "chat": "聊天", "sms": "短信"},
		where: map[string]string{
			"voice": "只能用于语音。", "within": "转到 `sip:`、`tel:` 只能用于语音;转到 `agent:`、`queue:` 各渠道皆可。",
			"speech": "用于语音时,须为流程的某种语言配置识别器。", "seen": "仅用 `video` 时不能用于短信;语音时通过链接进行。",
		},
		types: map[reflect.Type]string{
			reflect.TypeFor[NewName](): "名称", reflect.TypeFor[StepName](): "步骤", reflect.TypeFor[Target](): "步骤、`end` 或 `repeat`",
			reflect.TypeFor[Text](): "文字", reflect.TypeFor[Plain](): "纯文字", reflect.TypeFor[Expression](): "表达式", reflect.TypeFor[Duration](): "时长",
			reflect.TypeFor[Count](): "数", reflect.TypeFor[Share](): "数", reflect.TypeFor[Digits](): "位数或范围", reflect.TypeFor[Range](): "范围",
			reflect.TypeFor[Pattern](): "正则表达式", reflect.TypeFor[Keys](): "按键", reflect.TypeFor[YesNo](): "`true` 或 `false`", reflect.TypeFor[Language](): "语言",
			reflect.TypeFor[Path](): "文件", reflect.TypeFor[Date](): "日期", reflect.TypeFor[Hours](): "时间段或 `closed`", reflect.TypeFor[Days](): "星期",
			reflect.TypeFor[Secrecy](): "`true` 或 `ephemeral`", reflect.TypeFor[Note](): "文字", reflect.TypeFor[Any](): "任意值", reflect.TypeFor[Outcome](): "结果",
			reflect.TypeFor[Header](): "请求头", reflect.TypeFor[VariableName](): "变量", reflect.TypeFor[CalendarName](): "日历", reflect.TypeFor[QueueName](): "队列",
			reflect.TypeFor[BoxName](): "信箱", reflect.TypeFor[FormName](): "表单", reflect.TypeFor[OperationName](): "操作", reflect.TypeFor[ClassifierName](): "分类器",
			reflect.TypeFor[KnowledgeName](): "知识", reflect.TypeFor[FlowName](): "流程", reflect.TypeFor[PromptName](): "提示语", reflect.TypeFor[Prompt](): "提示语",
			reflect.TypeFor[PromptWords](): "各语言的文字", reflect.TypeFor[map[Language]PlainWords](): "各语言的文字", reflect.TypeFor[map[Language]Plain](): "各语言的文字",
			reflect.TypeFor[Phrases](): "各语言的短语", reflect.TypeFor[Type](): "类型", reflect.TypeFor[Declared](): "类型", reflect.TypeFor[StepBody](): "[步骤](#步骤)",
			reflect.TypeFor[Commands](): "[命令](#命令)", reflect.TypeFor[Defaults](): "`{ listen: … }`", reflect.TypeFor[Timeout](): "时长,或按渠道",
			reflect.TypeFor[Next](): "步骤,或结果到步骤的映射",
		},
	}
}
