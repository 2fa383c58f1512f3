package schema

// Tests beside a flow.
type (
	// TestFile is NAME.test.yaml.
	TestFile struct {
		Flow     FlowName             `json:"flow" en:"The flow that is tested." zh:"被测的流程。"`
		Note     Plain                `json:"note,omitempty" en:"For the next reader." zh:"留给下一位读者的说明。"`
		Given    Given                `json:"given,omitempty" en:"What the world answers in every test." zh:"所有测试中外部世界的回答。"`
		Inputs   map[VariableName]Any `json:"inputs,omitempty" en:"Values of the flow's inputs." zh:"流程输入的值。"`
		Coverage Count                `json:"coverage,omitempty" least:"1" most:"100" en:"The percentage of edges that the tests must walk." zh:"测试须走过的连线百分比。"`
		Tests    []TestBody           `json:"tests" en:"The tests." zh:"测试列表。"`
	}
	// TestBody is one test.
	TestBody struct {
		Name    Plain                `json:"name" en:"What is tested." zh:"测试什么。"`
		Note    Plain                `json:"note,omitempty" en:"For the next reader." zh:"留给下一位读者的说明。"`
		Channel TestChannels         `json:"channel,omitempty" en:"One channel or several; else each of the flow's." zh:"一个或多个渠道;未写则为流程的全部渠道。"`
		At      Moment               `json:"at,omitempty" en:"When it begins; else the next open minute of the flow's calendar." zh:"开始时间;未写则为日历的下一个营业时刻。"`
		From    Plain                `json:"from,omitempty" en:"The caller's number." zh:"主叫号码。"`
		Lang    Language             `json:"lang,omitempty" en:"The customer's language." zh:"客户的语言。"`
		Browser []Language           `json:"browser,omitempty" en:"The languages of the browser." zh:"浏览器的语言。"`
		Entry   Plain                `json:"entry,omitempty" en:"The number or page that was reached." zh:"拨入的号码或页面。"`
		Inputs  map[VariableName]Any `json:"inputs,omitempty" en:"Values of the flow's inputs." zh:"流程输入的值。"`
		Given   Given                `json:"given,omitempty" en:"What the world answers in this test." zh:"本测试中外部世界的回答。"`
		Script  []Line               `json:"script,omitempty" en:"What happens, in order." zh:"依次发生的事。"`
	}
	// TestChannels is one channel or several.
	TestChannels struct {
		One  Word   `form:"text" words:"voice,chat,sms"`
		Some []Word `form:"list" words:"voice,chat,sms"`
	}

	// Given is what the world answers.
	Given struct {
		HTTP          map[Plain]Replies  `json:"http,omitempty" en:"Answers to http steps, by STEP or FLOW.STEP." zh:"http 步骤的答复,按步骤名或“流程.步骤”。"`
		Agents        Agents             `json:"agents,omitempty" en:"none, how many are free, or { after: 3m }." zh:"none、空闲人数或 { after: 3m }。"`
		Queues        map[QueueName]Word `json:"queues,omitempty" words:"full,no_agents" en:"What a queue answers at once." zh:"队列立即给出的结果。"`
		Assurance     Word               `json:"assurance,omitempty" words:"none,recognised,verified,proofed" en:"How well the customer is known at first." zh:"客户最初的身份级别。"`
		Caller        Plain              `json:"caller,omitempty" en:"The caller's number, or withheld." zh:"主叫号码,或 withheld(隐藏)。"`
		Customer      Plain              `json:"customer,omitempty" en:"Who it is." zh:"客户是谁。"`
		Undeliverable []Word             `json:"undeliverable,omitempty" words:"sms,chat,mail" en:"The ways by which nothing arrives." zh:"送达不了的方式。"`
	}
	// Agents is who can answer.
	Agents struct {
		Many  AgentCount  `form:"text"`
		After AgentsAfter `form:"map"`
	}
	// AgentsAfter is one agent who is free after a while.
	AgentsAfter struct {
		After Duration `json:"after" en:"How long until one answers." zh:"多久后有人接听。"`
	}
	// Replies is one reply, or one for each time.
	Replies struct {
		Failed Word        `form:"text" words:"timeout,error"`
		One    Reply       `form:"map"`
		Some   []ReplyOnce `form:"list"`
	}
	// ReplyOnce is the reply of one time.
	ReplyOnce struct {
		Failed Word  `form:"text" words:"timeout,error"`
		One    Reply `form:"map"`
	}
	// Reply is what another system says.
	Reply struct {
		Status Count `json:"status,omitempty" least:"100" most:"599" def:"200" en:"The HTTP status." zh:"HTTP 状态码。"`
		JSON   Any   `json:"json,omitempty" en:"The body." zh:"返回内容。"`
	}

	// Line is one line of a script: a word with what it is about.
	Line struct {
		Word Word     `form:"text" words:"leaves"`
		Full LineWord `form:"map"`
	}
	// LineWord is exactly one of these.
	LineWord struct {
		Hears       Heard                `json:"hears,omitempty" en:"The customer hears a prompt, or words of it." zh:"客户听到某条提示语,或其中的话。"`
		Reads       Heard                `json:"reads,omitempty" en:"The customer reads a prompt, or words of it." zh:"客户看到某条提示语,或其中的话。"`
		Gets        Gets                 `json:"gets,omitempty" en:"Something arrives, as { sms: \"…\" }." zh:"收到消息,如 { sms: \"…\" }。"`
		Presses     Pressed              `json:"presses,omitempty" en:"The customer presses keys." zh:"客户按键。"`
		Says        Plain                `json:"says,omitempty" en:"The customer says words." zh:"客户说话。"`
		Types       Plain                `json:"types,omitempty" en:"The customer types words." zh:"客户输入文字。"`
		Taps        Plain                `json:"taps,omitempty" en:"The customer taps a button." zh:"客户点按钮。"`
		Waits       Pause                `json:"waits,omitempty" en:"Time passes; silence is as long as it takes." zh:"时间过去;silence 表示等到有事发生。"`
		Opens       Word                 `json:"opens,omitempty" words:"link" en:"The customer opens the link." zh:"客户打开链接。"`
		Finishes    Word                 `json:"finishes,omitempty" words:"link" en:"The customer finishes the page." zh:"客户在页面上办完。"`
		Declines    Word                 `json:"declines,omitempty" words:"link,handoff,callback,survey" en:"The customer does not want to." zh:"客户拒绝。"`
		Accepts     Word                 `json:"accepts,omitempty" words:"handoff" en:"The customer goes on by the other channel." zh:"客户换渠道继续。"`
		Leaves      Any                  `json:"leaves,omitempty" en:"The customer hangs up or closes the page." zh:"客户挂断或关闭页面。"`
		Queued      Queued               `json:"queued,omitempty" en:"The customer is put in line, perhaps with { QUEUE: { level: gold } }." zh:"客户进入队列,也可写 { 队列: { level: gold } }。"`
		Agent       AgentActs            `json:"agent,omitempty" en:"What the agent does, perhaps with a step: { asks: STEP }, { hands_back: STEP }." zh:"客服的动作,也可带步骤:{ asks: 步骤 }、{ hands_back: 步骤 }。"`
		Transferred Transferred          `json:"transferred,omitempty" en:"Where to, or how it went." zh:"转接到哪里,或结果如何。"`
		Records     Word                 `json:"records,omitempty" words:"left,done,too_short" en:"How the recording went." zh:"录音的结果。"`
		Callback    Word                 `json:"callback,omitempty" words:"booked,declined" en:"How the booking went." zh:"预约回电的结果。"`
		Surveyed    Surveyed             `json:"surveyed,omitempty" en:"A form is asked, or { FORM: skipped }." zh:"进行表单调查,或 { 表单: skipped }。"`
		Ticketed    Ticketed             `json:"ticketed,omitempty" en:"A ticket is opened, or { FORM: { field: value } }." zh:"建立工单,或 { 表单: { 字段: 值 } }。"`
		Identified  Word                 `json:"identified,omitempty" words:"passed,failed,declined,unsupported" en:"How identifying went." zh:"身份确认的结果。"`
		Resumes     Word                 `json:"resumes,omitempty" words:"failed,declined,found" en:"How going on with an earlier interaction went; after found this one is over." zh:"继续以前那次联络的结果;found 之后本次即结束。"`
		Given       Given                `json:"given,omitempty" en:"What the world answers from here on." zh:"从这里起外部世界的回答。"`
		Sets        map[VariableName]Any `json:"sets,omitempty" en:"A step sets variables." zh:"某步骤给变量赋值。"`
		Var         map[VariableName]Any `json:"var,omitempty" en:"Variables as they are now." zh:"变量现在的值。"`
		Ends        Plain                `json:"ends,omitempty" en:"The reason of the end; completed where none was given." zh:"结束原因;未指定时为 completed。"`
	}
	// Gets is words, or words by one way.
	Gets struct {
		Words Plain   `form:"text"`
		By    GetsWay `form:"map"`
	}
	// GetsWay is exactly one of these.
	GetsWay struct {
		SMS  Plain `json:"sms,omitempty" en:"By SMS." zh:"短信。"`
		Chat Plain `json:"chat,omitempty" en:"In chat." zh:"聊天。"`
		Mail Plain `json:"mail,omitempty" en:"By mail." zh:"邮件。"`
	}
	// AgentActs is what an agent does, or does with a step.
	AgentActs struct {
		Word Word        `form:"text" words:"answers,hands_back,declines,takes_over"`
		Step AgentActsOn `form:"map"`
	}
	// AgentActsOn is what an agent does with a step.
	AgentActsOn struct {
		Asks      Plain `json:"asks,omitempty" en:"Has the flow run this step, and has the customer back after it." zh:"让流程执行该步骤,之后客户回到客服。"`
		HandsBack Plain `json:"hands_back,omitempty" en:"Hands the customer back at this step." zh:"在该步骤把客户交还给流程。"`
	}
	// Transferred is an address, an outcome, or both.
	Transferred struct {
		Words Plain           `form:"text"`
		Full  TransferredFull `form:"map"`
	}
	// TransferredFull is an address and an outcome.
	TransferredFull struct {
		To      Plain `json:"to,omitempty" en:"Part of the address." zh:"地址的一部分。"`
		Outcome Word  `json:"outcome,omitempty" words:"ok,busy,no_answer,failed" en:"How it went." zh:"结果。"`
	}
	// Surveyed is a form, or one with how it went.
	Surveyed struct {
		Form FormName          `form:"text"`
		How  map[FormName]Word `form:"map" words:"done,skipped"`
	}
	// Queued is a queue, or one with what the step says of the customer.
	Queued struct {
		Queue QueueName                `form:"text"`
		With  map[QueueName]QueuedWith `form:"map"`
	}
	// QueuedWith is what a step says of the customer and asks of the agent.
	QueuedWith struct {
		Level    Plain    `json:"level,omitempty" en:"The customer's level." zh:"客户级别。"`
		Skills   Plain    `json:"skills,omitempty" en:"The skills, with blanks between." zh:"技能,用空格隔开。"`
		Priority Duration `json:"priority,omitempty" en:"The head start." zh:"提前量。"`
	}
	// Ticketed is a form, or one with its fields.
	Ticketed struct {
		Form FormName                     `form:"text"`
		With map[FormName]map[NewName]Any `form:"map"`
	}
)
