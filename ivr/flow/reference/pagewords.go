package reference

import (
	"reflect"
	"strings"

	"tandem/ivr/flow/schema"
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
			"speech": " On voice it needs a recogniser for one of the flow's languages.", "seen": " `video` alone does not run by SMS.",
		},
		types: map[reflect.Type]string{
			reflect.TypeFor[schema.NewName](): "name", reflect.TypeFor[schema.StepName](): "step", reflect.TypeFor[schema.Target](): "step, `end` or `repeat`",
			reflect.TypeFor[schema.Text](): "text", reflect.TypeFor[schema.Plain](): "plain text", reflect.TypeFor[schema.Expression](): "expression", reflect.TypeFor[schema.Duration](): "duration",
			reflect.TypeFor[schema.Count](): "number", reflect.TypeFor[schema.Share](): "number", reflect.TypeFor[schema.Digits](): "count or range", reflect.TypeFor[schema.Range](): "range",
			reflect.TypeFor[schema.Pattern](): "pattern", reflect.TypeFor[schema.Keys](): "keys", reflect.TypeFor[schema.YesNo](): "`true` or `false`", reflect.TypeFor[schema.Language](): "language",
			reflect.TypeFor[schema.Path](): "file", reflect.TypeFor[schema.Date](): "date", reflect.TypeFor[schema.Hours](): "hours, or `closed`", reflect.TypeFor[schema.Days](): "day or days",
			reflect.TypeFor[schema.Secrecy](): "`true` or `ephemeral`", reflect.TypeFor[schema.Note](): "text", reflect.TypeFor[schema.Any](): "any value", reflect.TypeFor[schema.Outcome](): "outcome",
			reflect.TypeFor[schema.Header](): "header", reflect.TypeFor[schema.VariableName](): "variable", reflect.TypeFor[schema.CalendarName](): "calendar", reflect.TypeFor[schema.QueueName](): "queue",
			reflect.TypeFor[schema.BoxName](): "box", reflect.TypeFor[schema.FormName](): "form", reflect.TypeFor[schema.OperationName](): "operation", reflect.TypeFor[schema.ClassifierName](): "classifier", reflect.TypeFor[schema.CheckName](): "identity check", reflect.TypeFor[schema.CheckNothing](): "`{}`",
			reflect.TypeFor[schema.KnowledgeName](): "knowledge", reflect.TypeFor[schema.FlowName](): "flow", reflect.TypeFor[schema.PromptName](): "prompt", reflect.TypeFor[schema.Prompt](): "prompt",
			reflect.TypeFor[schema.PromptWords](): "words by language", reflect.TypeFor[map[schema.Language]schema.PlainWords](): "words by language", reflect.TypeFor[map[schema.Language]schema.Plain](): "words by language",
			reflect.TypeFor[schema.Phrases](): "phrases by language", reflect.TypeFor[schema.Type](): "type", reflect.TypeFor[schema.Declared](): "type", reflect.TypeFor[schema.StepBody](): "[step](#a-step)",
			reflect.TypeFor[schema.Commands](): "[commands](#commands)", reflect.TypeFor[schema.Defaults](): "`{ listen: … }`", reflect.TypeFor[schema.Timeout](): "duration, or one for each channel",
			reflect.TypeFor[schema.Next](): "step, or map of outcome to step", reflect.TypeFor[schema.TeamName](): "team", reflect.TypeFor[schema.AgentName](): "user",
			reflect.TypeFor[schema.SkillName](): "skill", reflect.TypeFor[schema.SkillLevel](): "1 to 9", reflect.TypeFor[schema.Wanted](): "text", reflect.TypeFor[schema.LevelText](): "text",
			reflect.TypeFor[schema.OwnerText](): "text", reflect.TypeFor[schema.ReplyText](): "text", reflect.TypeFor[map[schema.Language]schema.ReplyText](): "words by language", reflect.TypeFor[schema.OwnerName](): "owner",
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
			"speech": "用于语音时,须为流程的某种语言配置识别器。", "seen": "仅用 `video` 时不能用于短信。",
		},
		types: map[reflect.Type]string{
			reflect.TypeFor[schema.NewName](): "名称", reflect.TypeFor[schema.StepName](): "步骤", reflect.TypeFor[schema.Target](): "步骤、`end` 或 `repeat`",
			reflect.TypeFor[schema.Text](): "文字", reflect.TypeFor[schema.Plain](): "纯文字", reflect.TypeFor[schema.Expression](): "表达式", reflect.TypeFor[schema.Duration](): "时长",
			reflect.TypeFor[schema.Count](): "数", reflect.TypeFor[schema.Share](): "数", reflect.TypeFor[schema.Digits](): "位数或范围", reflect.TypeFor[schema.Range](): "范围",
			reflect.TypeFor[schema.Pattern](): "正则表达式", reflect.TypeFor[schema.Keys](): "按键", reflect.TypeFor[schema.YesNo](): "`true` 或 `false`", reflect.TypeFor[schema.Language](): "语言",
			reflect.TypeFor[schema.Path](): "文件", reflect.TypeFor[schema.Date](): "日期", reflect.TypeFor[schema.Hours](): "时间段或 `closed`", reflect.TypeFor[schema.Days](): "星期",
			reflect.TypeFor[schema.Secrecy](): "`true` 或 `ephemeral`", reflect.TypeFor[schema.Note](): "文字", reflect.TypeFor[schema.Any](): "任意值", reflect.TypeFor[schema.Outcome](): "结果",
			reflect.TypeFor[schema.Header](): "请求头", reflect.TypeFor[schema.VariableName](): "变量", reflect.TypeFor[schema.CalendarName](): "日历", reflect.TypeFor[schema.QueueName](): "队列",
			reflect.TypeFor[schema.BoxName](): "信箱", reflect.TypeFor[schema.FormName](): "表单", reflect.TypeFor[schema.OperationName](): "操作", reflect.TypeFor[schema.ClassifierName](): "分类器", reflect.TypeFor[schema.CheckName](): "身份核验", reflect.TypeFor[schema.CheckNothing](): "`{}`",
			reflect.TypeFor[schema.KnowledgeName](): "知识", reflect.TypeFor[schema.FlowName](): "流程", reflect.TypeFor[schema.PromptName](): "提示语", reflect.TypeFor[schema.Prompt](): "提示语",
			reflect.TypeFor[schema.PromptWords](): "各语言的文字", reflect.TypeFor[map[schema.Language]schema.PlainWords](): "各语言的文字", reflect.TypeFor[map[schema.Language]schema.Plain](): "各语言的文字",
			reflect.TypeFor[schema.Phrases](): "各语言的短语", reflect.TypeFor[schema.Type](): "类型", reflect.TypeFor[schema.Declared](): "类型", reflect.TypeFor[schema.StepBody](): "[步骤](#步骤)",
			reflect.TypeFor[schema.Commands](): "[命令](#命令)", reflect.TypeFor[schema.Defaults](): "`{ listen: … }`", reflect.TypeFor[schema.Timeout](): "时长,或按渠道",
			reflect.TypeFor[schema.Next](): "步骤,或结果到步骤的映射", reflect.TypeFor[schema.TeamName](): "团队", reflect.TypeFor[schema.AgentName](): "登录名",
			reflect.TypeFor[schema.SkillName](): "技能", reflect.TypeFor[schema.SkillLevel](): "1 至 9", reflect.TypeFor[schema.Wanted](): "文字", reflect.TypeFor[schema.LevelText](): "文字",
			reflect.TypeFor[schema.OwnerText](): "文字", reflect.TypeFor[schema.ReplyText](): "文字", reflect.TypeFor[map[schema.Language]schema.ReplyText](): "各语言的文字", reflect.TypeFor[schema.OwnerName](): "负责人",
		},
	}
}
