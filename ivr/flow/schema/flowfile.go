package schema

// FlowFile is NAME.flow.yaml.
type FlowFile struct {
	Flow      NewName                 `json:"flow" en:"The flow's name: small letters, digits and _, a letter first." zh:"流程名:小写字母、数字和下划线,以字母开头。"`
	Channels  []Word                  `json:"channels" fewest:"1" words:"voice,chat,sms" en:"Where the flow may run." zh:"流程可在哪些渠道运行。"`
	Languages []Language              `json:"languages" fewest:"1" en:"Tags such as en or zh-CN; the first is used where another is missing." zh:"语言标签,如 en、zh-CN;缺少某种语言时使用第一种。"`
	Start     StepName                `json:"start" en:"The first step." zh:"第一个步骤。"`
	OnLeave   StepName                `json:"on_leave,omitempty" en:"The step after a hang-up or a closed page; it can no longer speak, and knows outcome." zh:"挂断或关闭页面之后的步骤;此时不能再说话,可用 outcome。"`
	OnError   StepName                `json:"on_error,omitempty" en:"The step where a caller goes when something breaks." zh:"出错时转到的步骤。"`
	Inputs    map[NewName]Declared    `json:"inputs,omitempty" en:"Values that a calling flow hands in." zh:"由调用方流程传入的值。"`
	Outcomes  []NewName               `json:"outcomes,omitempty" en:"How a flow that others call can end." zh:"被调用的流程可能的结果。"`
	Returns   []VariableName          `json:"returns,omitempty" en:"Variables that are handed back to the calling flow." zh:"交还给调用方的变量。"`
	Vars      map[NewName]Declared    `json:"vars,omitempty" en:"Variables with their types." zh:"变量及其类型。"`
	Defaults  Defaults                `json:"defaults,omitempty" en:"What holds for all steps that say nothing else." zh:"各步骤未另行说明时的默认设置。"`
	Prompts   map[NewName]PromptWords `json:"prompts,omitempty" en:"Words by name and language." zh:"按名称和语言存放的提示语。"`
	Commands  Commands                `json:"commands,omitempty" en:"Keys and phrases that work in every menu and collect, not while a secret is entered." zh:"在所有菜单和采集中都有效的按键和短语;输入机密时无效。"`
	Steps     map[NewName]StepBody    `json:"steps" en:"The steps by name; up to 2,000." zh:"按名称列出的步骤,最多 2000 个。"`
}

type (
	// PromptWords is a prompt with a name.
	PromptWords map[Language]Words

	// Defaults holds for all steps.
	Defaults struct {
		Listen Listen `json:"listen,omitempty" en:"How all steps listen." zh:"所有步骤如何收听。"`
	}

	// Listen is how a step listens; its keys stand in the verb itself, too.
	Listen struct {
		With         []Word   `json:"with,omitempty" fewest:"1" words:"dtmf,speech" def:"[dtmf]" en:"What is listened to: keys, speech or both." zh:"收听什么:按键、语音或两者。"`
		BargeIn      Word     `json:"barge_in,omitempty" words:"none,dtmf,speech,any" def:"dtmf" en:"What may interrupt a prompt." zh:"什么可以打断提示语。"`
		TypeAhead    YesNo    `json:"type_ahead,omitempty" def:"true" en:"Whether keys pressed early count." zh:"提前按的键是否有效。"`
		Tries        Count    `json:"tries,omitempty" least:"1" most:"10" def:"3" en:"How often to ask before no_input or no_match." zh:"询问几次后才算 no_input 或 no_match。"`
		Timeout      Timeout  `json:"timeout,omitempty" def:"{ voice: 5s, chat: 3m, sms: 12h }" en:"How long to wait for an answer; one figure means voice." zh:"等待回答多久;单个值指语音渠道。"`
		RetryPrompts []Prompt `json:"retry_prompts,omitempty" en:"Said on the second, third … try; the last repeats." zh:"第二次、第三次……询问时说的话;最后一条会重复。"`
	}

	// Commands are by their names.
	Commands struct {
		Help   *Command `json:"help,omitempty" en:"Explains; needs go." zh:"帮助;需要 go。"`
		Agent  *Command `json:"agent,omitempty" en:"Brings a person; needs go." zh:"转人工;需要 go。"`
		Repeat *Command `json:"repeat,omitempty" en:"Says the last words again, unless go leads elsewhere." zh:"重复上一句话,除非 go 另有去处。"`
		Back   *Command `json:"back,omitempty" en:"Returns to the step asked before, unless go leads elsewhere." zh:"回到上一个提问的步骤,除非 go 另有去处。"`
	}
	// Command is one key or phrase that works everywhere.
	Command struct {
		Keys    Keys     `json:"keys,omitempty" en:"What is pressed, in quotes." zh:"按什么键,需加引号。"`
		Phrases Phrases  `json:"phrases,omitempty" en:"What is said or typed, by language." zh:"说或输入什么,按语言。"`
		Go      StepName `json:"go,omitempty" en:"The step it leads to." zh:"转到的步骤。"`
	}

	// StepBody is one step: what it does and where it leads.
	StepBody struct {
		Note      Note       `json:"note,omitempty" en:"For the next reader." zh:"留给下一位读者的说明。"`
		If        Expression `json:"if,omitempty" en:"A condition; where it is false the step is passed over, to the plain next or to skipped." zh:"条件;不成立时跳过本步骤,转到 next 或 skipped。"`
		Needs     Word       `json:"needs,omitempty" words:"none,recognised,verified,proofed" en:"How well the customer must be known; who is not goes to not_assured." zh:"客户身份需达到的级别;未达到则转到 not_assured。"`
		MaxVisits Count      `json:"max_visits,omitempty" least:"1" most:"1000" en:"How often the step may run; beyond it loop, or on_error." zh:"步骤最多运行几次;超过则转到 loop 或 on_error。"`

		VerbKeys

		Next Next `json:"next,omitempty" en:"Where the step leads: a step, end or repeat; or one for each outcome, else for the rest." zh:"下一步:步骤名、end 或 repeat;或按结果分别列出,其余写 else。"`
	}

	// VerbKeys is what a step can do: exactly one of them.
	VerbKeys struct {
		Say       *Say                        `json:"say,omitempty" en:"Says or writes words." zh:"说话或发文字。"`
		Menu      *Menu                       `json:"menu,omitempty" en:"Offers choices." zh:"提供选项。"`
		Collect   *Collect                    `json:"collect,omitempty" en:"Asks for one value." zh:"采集一个值。"`
		Language  *LanguageVerb               `json:"language,omitempty" en:"Finds or sets the language." zh:"确定或设定语言。"`
		Set       map[VariableName]Expression `json:"set,omitempty" fewest:"1" en:"Sets variables, in the order written." zh:"按书写顺序给变量赋值。"`
		Branch    []Arm                       `json:"branch,omitempty" fewest:"1" en:"Goes to the first arm whose condition holds; else is in next." zh:"转到第一个条件成立的分支;其余写在 next 的 else。"`
		Hours     *HoursVerb                  `json:"hours,omitempty" en:"Asks a calendar whether it is open now." zh:"查日历,看现在是否营业。"`
		HTTP      *HTTP                       `json:"http,omitempty" en:"Asks another system." zh:"请求其他系统。"`
		Subflow   *Subflow                    `json:"subflow,omitempty" en:"Calls another flow." zh:"调用另一个流程。"`
		Message   *Message                    `json:"message,omitempty" en:"Writes to the customer, or to a given address, by another way." zh:"以其他方式给客户或指定地址发消息。"`
		Link      *Link                       `json:"link,omitempty" en:"Sends a link to a page on which the customer does something." zh:"发送链接,由客户在页面上办理。"`
		Handoff   *Handoff                    `json:"handoff,omitempty" en:"Asks the customer to go on by another channel." zh:"请客户换一个渠道继续。"`
		Identify  *Identify                   `json:"identify,omitempty" en:"Finds out who the customer is." zh:"确认客户身份。"`
		Resume    *Resume                     `json:"resume,omitempty" en:"Asks for the number of an earlier interaction and goes on there, where it stopped." zh:"询问以前一次联络的号码,并在其中断处继续。"`
		Classify  *Classify                   `json:"classify,omitempty" en:"Sorts what the customer wrote or said." zh:"对客户所写或所说的内容分类。"`
		Answer    *Answer                     `json:"answer,omitempty" en:"Answers from a knowledge folder, if an article fits well enough." zh:"若有足够匹配的知识文章,则据此回答。"`
		Queue     *Queue                      `json:"queue,omitempty" en:"Puts the customer in line and waits for an agent." zh:"让客户排队等候客服。"`
		Transfer  *Transfer                   `json:"transfer,omitempty" en:"Connects the customer to somebody and waits until they part." zh:"把客户转接给某人,直到双方结束。"`
		Callback  *Callback                   `json:"callback,omitempty" en:"Books a call to the customer." zh:"预约回电。"`
		Voicemail *Voicemail                  `json:"voicemail,omitempty" en:"Records a message into a box." zh:"在信箱中留言。"`
		Record    *Record                     `json:"record,omitempty" en:"Records the customer into a variable." zh:"把客户的话录入变量。"`
		Ticket    *Ticket                     `json:"ticket,omitempty" en:"Opens a work order." zh:"建立工单。"`
		Consent   *Consent                    `json:"consent,omitempty" en:"Asks for consent and keeps the answer." zh:"征求同意并保存答复。"`
		Survey    *Survey                     `json:"survey,omitempty" en:"Asks the questions of a form and keeps the answers." zh:"按表单提问并保存答案。"`
		End       *End                        `json:"end,omitempty" en:"Ends the interaction, or a called flow." zh:"结束本次交互,或结束被调用的流程。"`
	}
)
