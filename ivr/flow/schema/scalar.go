package schema

// What a single value can be. Each is text in a file; the name says what it is for.
type (
	NewName    string // gives a thing its name
	StepName   string // a step of this flow
	Target     string // a step, end or repeat
	Text       string // text with ${…} in it
	Plain      string // text as it is
	Expression string // an expression as a whole
	Duration   string // 500ms, 5s, 8m, 2h, 3d
	Count      int
	Share      float64 // from 0 to 1
	Digits     string  // 6 or 16..19
	Range      string  // 1..5
	Pattern    string  // RE2
	Keys       string  // what is pressed
	Pressed    string  // what is pressed in a test
	YesNo      bool
	Word       string // one of a few, which the tag `words` lists
	Language   string // a tag
	Path       string // a file beside the flows
	Date       string // 2027-01-01
	Hours      string // "09:00-18:00"
	Days       string // mon, mon-fri
	Secrecy    string // true, false or ephemeral
	Note       string
	Any        string // whatever JSON can hold
	Pause      string // a duration, or silence
	Heard      string // a prompt, or words of one
	AgentCount string // none, or how many are free
	Moment     string // a date and a time with its zone
	Outcome    string // of a verb
	Header     string // of an HTTP request
	AgentName  string // who logs in by it
	SkillName  string // Latin letters, digits and : _ - ., or "*"
	SkillLevel int    // 1 to 9
	Wanted     string // text with ${…} in it that asks for a skill: lang:en, cards>=3
	LevelText  string // text with ${…} in it that is a customer's level
	ReplyText  string // text with ${…} in it that agents send
	OwnerText  string // text with ${…} in it that names an owner
	OwnerName  string // agent:NAME, team:NAME or queue:NAME

	VariableName   string // a variable or an input
	PromptName     string
	CalendarName   string
	QueueName      string
	TeamName       string
	BoxName        string
	FormName       string
	OperationName  string
	ClassifierName string
	CheckName      string // an identity check
	KnowledgeName  string
	FlowName       string
)

// Maps and choices between forms. A struct whose fields have the tag `form` is one of
// these forms, told apart by what YAML makes of it: text, a map or a list.
type (
	// Words is a prompt in one language.
	Words struct {
		Text  Text       `form:"text"`
		Parts WordsParts `form:"map"`
	}
	// WordsParts is a prompt in one language with more than text.
	WordsParts struct {
		Text   Text `json:"text,omitempty" en:"The words; values go in as ${…}." zh:"文字;数值写作 ${…}。"`
		Audio  Path `json:"audio,omitempty" en:"A recording, which wins over the text where there is a voice; the path starts at the flows folder." zh:"录音文件;有语音时优先于文字。路径从流程目录算起。"`
		Image  Path `json:"image,omitempty" en:"An image shown in chat." zh:"在聊天中显示的图片。"`
		Button Text `json:"button,omitempty" en:"What a button in chat says." zh:"聊天中按钮上的字。"`
	}
	// Prompt is what is said or written: the name of a prompt, or words by language in place.
	Prompt struct {
		Name  PromptName         `form:"text"`
		Words map[Language]Words `form:"map"`
	}

	// PlainWords are words in a file that belongs to no flow: they hold no values.
	PlainWords struct {
		Text  Plain      `form:"text"`
		Parts PlainParts `form:"map"`
	}
	// PlainParts is PlainWords with more than text.
	PlainParts struct {
		Text  Plain `json:"text,omitempty" en:"The words." zh:"文字。"`
		Audio Path  `json:"audio,omitempty" en:"A recording; the path starts at the flows folder." zh:"录音文件,路径从流程目录算起。"`
		Image Path  `json:"image,omitempty" en:"An image." zh:"图片。"`
	}

	// Phrases are what a customer may say or type, by language.
	Phrases map[Language]PhraseList
	// PhraseList is one phrase or several.
	PhraseList struct {
		One  Plain   `form:"text"`
		Some []Plain `form:"list"`
	}

	// Type is the type of a variable: a word, or a map with what belongs to it.
	Type struct {
		Name Word     `form:"text" words:"text,string,digits,int,decimal,money,date,time,bool,phone,email,recording"`
		Full TypeFull `form:"map"`
	}
	// TypeFull is a type with its parts.
	TypeFull struct {
		Type   Word             `json:"type" words:"text,string,digits,int,decimal,money,date,time,bool,phone,email,recording,enum,list,object" en:"What the value is." zh:"值的类型。"`
		Values []Plain          `json:"values,omitempty" fewest:"1" en:"Of an enum: what it can be." zh:"枚举:可取的值。"`
		Fields map[NewName]Type `json:"fields,omitempty" en:"Of an object: its fields with their types." zh:"对象:各字段及其类型。"`
		Of     *Type            `json:"of,omitempty" en:"Of a list: the type of each element." zh:"列表:每个元素的类型。"`
	}
	// Declared is a variable or an input.
	Declared struct {
		Name Word         `form:"text" words:"text,string,digits,int,decimal,money,date,time,bool,phone,email,recording"`
		Full DeclaredFull `form:"map"`
	}
	// DeclaredFull is a variable with what is known of it.
	DeclaredFull struct {
		TypeFull
		Secret  Secrecy `json:"secret,omitempty" def:"false" en:"Keep it out of logs, pictures, messages and prompts; ephemeral is also never stored." zh:"不进入日志、图、消息和提示语;ephemeral 还从不存储。"`
		Default Any     `json:"default,omitempty" en:"Its value before anything has set it." zh:"尚未赋值时的值。"`
	}

	// Timeout is how long to wait for an answer, by voice or by channel.
	Timeout struct {
		Voice Duration        `form:"text"`
		By    TimeoutChannels `form:"map"`
	}
	// TimeoutChannels is how long to wait on each channel.
	TimeoutChannels struct {
		Voice Duration `json:"voice,omitempty" def:"5s" least:"500ms" most:"7d" en:"On the phone." zh:"电话。"`
		Chat  Duration `json:"chat,omitempty" def:"3m" least:"500ms" most:"7d" en:"In chat." zh:"聊天。"`
		SMS   Duration `json:"sms,omitempty" def:"12h" least:"500ms" most:"7d" en:"By SMS, which never asks again by itself." zh:"短信;不会自动再问。"`
	}

	// Choices are the arms of a menu: a list as written, or made from a list of values.
	Choices struct {
		Fixed []Choice `form:"list"`
		From  FromList `form:"map"`
	}

	// Next is where a step leads: one step, or one for each outcome.
	Next struct {
		To Target             `form:"text"`
		By map[Outcome]Target `form:"map"`
	}
)
