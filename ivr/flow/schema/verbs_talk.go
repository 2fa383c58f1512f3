package schema

// The verbs that say, ask and decide.
type (
	// Say is a prompt, or a prompt with how it is said.
	Say struct {
		Name  PromptName         `form:"text"`
		Words map[Language]Words `form:"map"`
		Full  SayFull            `form:"map"`
	}
	// SayFull is a prompt with how it is said.
	SayFull struct {
		Prompt    Prompt `json:"prompt" en:"What is said." zh:"说什么。"`
		BargeIn   Word   `json:"barge_in,omitempty" words:"none,dtmf,speech,any" def:"dtmf" en:"What may interrupt it." zh:"什么可以打断。"`
		Image     Path   `json:"image,omitempty" en:"An image shown with it in chat." zh:"聊天中一并显示的图片。"`
		Announces Word   `json:"announces,omitempty" words:"recording" en:"recording: who has heard it whole knows that the call is recorded." zh:"recording:完整听过即视为已告知录音。"`
	}

	// Menu offers choices.
	Menu struct {
		Prompt  Prompt  `json:"prompt" en:"What is asked." zh:"询问的话。"`
		Choices Choices `json:"choices" en:"The choices, up to 64; or one for each element of a list." zh:"选项,最多 64 个;或由列表逐项生成。"`
		Listen
	}
	// Choice is one arm of a menu.
	Choice struct {
		Keys    Keys    `json:"keys,omitempty" en:"What is pressed or typed, in quotes; none may begin another." zh:"按键或输入的数字,需加引号;不可互为开头。"`
		Phrases Phrases `json:"phrases,omitempty" en:"What is said or typed, by language." zh:"说或输入什么,按语言。"`
		Label   Prompt  `json:"label,omitempty" en:"What a button or a numbered line says; else the first phrase." zh:"按钮或编号行上的字;未写则用第一个短语。"`
		Go      Target  `json:"go" en:"Where it leads." zh:"转到哪里。"`
	}
	// FromList makes a choice of each element of a list.
	FromList struct {
		From  Expression   `json:"from" en:"A list." zh:"一个列表。"`
		As    NewName      `json:"as" en:"The name an element has in label." zh:"元素在 label 中的名称。"`
		Label Prompt       `json:"label" en:"How an element is read out; key is the digit to press." zh:"元素如何读出;key 是要按的数字。"`
		Max   Count        `json:"max,omitempty" least:"1" most:"9" def:"9" en:"How many are offered." zh:"最多提供几个。"`
		Into  VariableName `json:"into" en:"Receives the chosen element." zh:"存放所选元素的变量。"`
		Go    Target       `json:"go" en:"Where every choice leads." zh:"选定后转到哪里。"`
	}

	// Collect asks for one value.
	Collect struct {
		Prompt  Prompt       `json:"prompt" en:"What is asked." zh:"询问的话。"`
		Into    VariableName `json:"into" en:"The variable that receives the answer; its type says what fits." zh:"存放答案的变量;其类型决定什么答案合适。"`
		Type    Word         `json:"type,omitempty" words:"text,digits,int,decimal,money,date,time,bool,phone,email" en:"What the answer must be, where the variable is text." zh:"变量为 text 时,对答案的要求。"`
		Digits  Digits       `json:"digits,omitempty" en:"How many digits: 6 or 16..19." zh:"位数:6 或 16..19。"`
		Pattern Pattern      `json:"pattern,omitempty" en:"A regular expression (RE2) for the whole answer." zh:"整个答案须符合的正则表达式(RE2)。"`
		Confirm Prompt       `json:"confirm,omitempty" en:"Asked back: 1 or yes accepts, 2 or no asks again." zh:"复述确认:1 或“是”接受,2 或“否”重问。"`
		Secret  Secrecy      `json:"secret,omitempty" en:"As the variable says; written here it is held against it." zh:"与变量的声明一致;写在这里会与之核对。"`
		Listen
	}

	// LanguageVerb finds the language by the first means that answers, or sets it.
	LanguageVerb struct {
		By     []Word   `json:"by,omitempty" words:"caller,browser,menu" en:"How to find it; the first that answers." zh:"确定语言的办法,先得到答案者为准。"`
		Prompt Prompt   `json:"prompt,omitempty" en:"What the menu asks, in every language one after the other; its keys follow the order of languages." zh:"菜单的问话,各语言依次播放;按键顺序同 languages。"`
		Set    Language `json:"set,omitempty" en:"Sets this language." zh:"设为此语言。"`
		Listen
	}

	// Arm is one way of a branch.
	Arm struct {
		If Expression `json:"if" en:"A condition." zh:"条件。"`
		Go Target     `json:"go" en:"Where it leads." zh:"转到哪里。"`
	}

	// HoursVerb asks a calendar.
	HoursVerb struct {
		Calendar CalendarName `json:"calendar" en:"A calendar beside the flow." zh:"流程旁的日历。"`
	}

	// Consent asks for consent.
	Consent struct {
		Kind   Word   `json:"kind" words:"recording,data,video" en:"What is consented to." zh:"同意的内容。"`
		Prompt Prompt `json:"prompt" en:"What is asked; keys pressed before it never answer it." zh:"询问的话;提前按的键不算回答。"`
		Listen
	}

	// End ends the flow.
	End struct {
		Reason NewName `json:"reason,omitempty" def:"completed" en:"A plain word that is kept with the interaction." zh:"随交互保存的一个词。"`
		As     Outcome `json:"as,omitempty" en:"In a called flow: one of its outcomes, for the calling flow to go on by." zh:"在被调用的流程中:返回给调用方的结果之一。"`
	}
)
