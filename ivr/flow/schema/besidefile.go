package schema

// The files beside the flows.
type (
	// CalendarFile is NAME.calendar.yaml.
	CalendarFile struct {
		Calendar  NewName        `json:"calendar" en:"Its name." zh:"日历名。"`
		TimeZone  Plain          `json:"time_zone" en:"Such as Asia/Shanghai." zh:"时区,如 Asia/Shanghai。"`
		Weekly    map[Days]Hours `json:"weekly" en:"Opening hours by day, as mon or mon-fri; a day not named is closed." zh:"每周营业时间,如 mon 或 mon-fri;未列出的日子休息。"`
		Holidays  []Holiday      `json:"holidays,omitempty" en:"Days off, which have the outcome holiday." zh:"节假日,结果为 holiday。"`
		Overrides map[Date]Hours `json:"overrides,omitempty" en:"Other hours on single days, or closed." zh:"个别日期的其他营业时间,或 closed。"`
	}
	// Holiday is one day off.
	Holiday struct {
		Date Date               `json:"date" en:"Written 2027-01-01." zh:"写作 2027-01-01。"`
		Name map[Language]Plain `json:"name,omitempty" en:"What it is called, by language." zh:"节日名称,按语言。"`
	}

	// FormFile is NAME.form.yaml.
	FormFile struct {
		Form   NewName `json:"form" en:"Its name." zh:"表单名。"`
		Fields []Field `json:"fields" fewest:"1" en:"The questions, up to 50." zh:"问题,最多 50 个。"`
	}
	// Field is one question of a form.
	Field struct {
		Name     NewName                           `json:"name" en:"The answer's name." zh:"答案的名称。"`
		Type     Word                              `json:"type" words:"text,string,digits,int,decimal,money,date,time,bool,phone,email,enum" en:"What the answer must be." zh:"答案的类型。"`
		Values   []Plain                           `json:"values,omitempty" fewest:"1" en:"Of an enum: what it can be." zh:"枚举:可取的值。"`
		Labels   map[Plain]map[Language]PlainWords `json:"labels,omitempty" en:"Of an enum: what people read in the place of its values, by value and language." zh:"枚举:代替各值显示的文字,按值和语言。"`
		Range    Range                             `json:"range,omitempty" en:"Of an int: the least and the most, as 1..5." zh:"整数:最小到最大,如 1..5。"`
		Ask      map[Language]PlainWords           `json:"ask,omitempty" en:"The question, by language." zh:"问题,按语言。"`
		Optional YesNo                             `json:"optional,omitempty" def:"false" en:"It may be left out." zh:"可以不填。"`
	}

	// OperationFile is NAME.operation.yaml.
	OperationFile struct {
		Operation NewName                 `json:"operation" en:"Its name." zh:"操作名。"`
		Needs     Word                    `json:"needs,omitempty" words:"none,recognised,verified,proofed" def:"none" en:"How well the customer must be known." zh:"客户身份需达到的级别。"`
		Title     map[Language]PlainWords `json:"title,omitempty" en:"At the head of the page." zh:"页面的标题。"`
		Steps     []Page                  `json:"steps" fewest:"1" en:"What the page shows and asks, in order; up to 50." zh:"页面依次显示和询问的内容,最多 50 项。"`
		Confirm   map[Language]PlainWords `json:"confirm,omitempty" en:"What the last button says." zh:"最后的按钮上的字。"`
		Result    map[Language]PlainWords `json:"result,omitempty" en:"Shown when it is done." zh:"完成后显示的话。"`
	}
	// Page is one part of an operation: something shown, or a form.
	Page struct {
		Show  map[Language]PlainWords `json:"show,omitempty" en:"Words, by language." zh:"文字,按语言。"`
		Image Path                    `json:"image,omitempty" en:"An image with the words." zh:"配图。"`
		Form  FormName                `json:"form,omitempty" en:"Questions." zh:"表单。"`
	}

	// CheckFile is NAME.check.yaml.
	CheckFile struct {
		Check         NewName       `json:"check" en:"Its name." zh:"核验名。"`
		Level         Word          `json:"level" words:"verified,proofed" en:"The level that passing it gives." zh:"通过后达到的级别。"`
		Grants        Duration      `json:"grants,omitempty" least:"1m" most:"24h" def:"30m" en:"How long the level holds." zh:"级别保持多久。"`
		Queue         QueueName     `json:"queue,omitempty" en:"Where an officer is looked for while nobody has the customer; left out, the queue they are in." zh:"没有客服接待客户时,到哪个队列找核验员;不写则为客户所在的队列。"`
		Officers      CheckOfficers `json:"officers,omitempty" en:"Who may decide; left out, whoever has the customer." zh:"谁可以作出决定;不写则为正在接待客户的客服。"`
		Consent       CheckConsent  `json:"consent" en:"What the customer is asked first of all, before any camera." zh:"最先征得客户的同意,在任何摄像头打开之前。"`
		Steps         []CheckStep   `json:"steps" fewest:"1" en:"What is done, in order; up to 30." zh:"依次进行的步骤,最多 30 个。"`
		SecondOfficer YesNo         `json:"second_officer,omitempty" def:"false" en:"Another person than the officer must agree before it is passed." zh:"通过前须由另一人复核同意。"`
		Interruption  Duration      `json:"interruption,omitempty" least:"1s" most:"5m" def:"5s" en:"How long picture or sound may be away before it begins again." zh:"画面或声音中断多久就要重新开始。"`
		Record        YesNo         `json:"record,omitempty" def:"false" en:"Sound and pictures are recorded, too." zh:"同时录音录像。"`
		Keep          CheckKeep     `json:"keep,omitempty" en:"For how long what came of it is kept; left out, as the configuration says." zh:"核验材料保存多久;不写则按配置。"`
	}
	// CheckOfficers are who may decide an identity check.
	CheckOfficers struct {
		Skills []SkillName `json:"skills" fewest:"1" en:"What the officer must be able to do, all of them." zh:"核验员须具备的全部技能。"`
	}
	// CheckConsent is what the customer agrees to.
	CheckConsent struct {
		Version Plain              `json:"version" en:"Which wording it is; change it with the text." zh:"文字的版本;修改文字时须更改。"`
		Text    map[Language]Plain `json:"text" fewest:"1" en:"The words, by language." zh:"文字,按语言。"`
	}
	// CheckKeep is how long evidence is kept.
	CheckKeep struct {
		Evidence  Duration `json:"evidence,omitempty" least:"1d" most:"3650d" en:"The stills." zh:"照片。"`
		Recording Duration `json:"recording,omitempty" least:"1d" most:"3650d" en:"Sound and pictures." zh:"录音录像。"`
	}
	// CheckStep is one step of an identity check; it has one of code, questions, document, face,
	// request and compare.
	CheckStep struct {
		Name      NewName            `json:"name" en:"The step's name." zh:"步骤名。"`
		Text      map[Language]Plain `json:"text,omitempty" en:"What the customer reads; left out, words of the product." zh:"客户看到的文字;不写则用系统自带的文字。"`
		Code      CheckNothing       `json:"code,omitempty" en:"A one-time code to what is bound to the customer; write {}." zh:"向客户已绑定的号码或邮箱发送一次性验证码;写作 {}。"`
		Questions []CheckQuestion    `json:"questions,omitempty" fewest:"1" en:"Asked by the officer, who notes right or wrong; the answers are kept nowhere." zh:"由核验员提问并记录对错;答案不作任何保存。"`
		Document  Word               `json:"document,omitempty" words:"front,back" en:"A still of a side of the document." zh:"拍摄证件的一面。"`
		Face      CheckNothing       `json:"face,omitempty" en:"A still of the face; write {}." zh:"拍摄面部;写作 {}。"`
		Request   []Word             `json:"request,omitempty" fewest:"1" words:"turn_left,turn_right,look_up,read_number,hand_over_face" en:"What the customer may be asked to do; drawn at random, judged by the officer." zh:"可能要求客户做的动作;随机抽取,由核验员判断。"`
		Count     Count              `json:"count,omitempty" least:"1" most:"5" def:"1" en:"Of request: how many are drawn." zh:"用于 request:抽取几个。"`
		Compare   []CheckLine        `json:"compare,omitempty" fewest:"1" en:"A checklist over the stills; passed only where the officer says yes to all." zh:"对照照片的检查表;核验员对每一项都答“是”才算通过。"`
		Likeness  Word               `json:"likeness,omitempty" words:"advice" en:"Of compare: the officer's browser computes how alike two faces are. It is advice and decides nothing." zh:"用于 compare:核验员的浏览器计算两张面孔的相似度。仅供参考,不作决定。"`
	}
	// CheckNothing is a map without keys.
	CheckNothing struct{}
	// CheckQuestion is a question of the officer.
	CheckQuestion struct {
		Name   NewName            `json:"name,omitempty" en:"What it is kept by; left out, its place in the list." zh:"记录所用的名称;不写则为它在列表中的次序。"`
		Ask    map[Language]Plain `json:"ask" fewest:"1" en:"The question, by language." zh:"问题,按语言。"`
		Expect Word               `json:"expect,omitempty" words:"free,service" def:"free" en:"service: the service behind identify knows the answer; free: the officer judges." zh:"service:由身份服务核对;free:由核验员判断。"`
	}
	// CheckLine is one line of a checklist.
	CheckLine struct {
		Name NewName            `json:"name" en:"What it is kept by." zh:"记录所用的名称。"`
		Ask  map[Language]Plain `json:"ask" fewest:"1" en:"Put so that yes speaks for the customer." zh:"提问方式须使“是”表示对客户有利。"`
	}

	// RepliesFile is NAME.replies.yaml.
	RepliesFile struct {
		Replies map[NewName]ReplyBody `json:"replies" fewest:"1" en:"Each reply by the name that agents type after /; up to 1,000." zh:"每条回复,以客服在 / 之后输入的名称为准,最多 1,000 条。"`
	}
	// ReplyBody is one canned reply.
	ReplyBody struct {
		Text   map[Language]ReplyText `json:"text" fewest:"1" en:"What is sent, by language; the first is used where there is no better one." zh:"发送的文字,按语言;没有合适的语言时用第一种。"`
		Queues []QueueName            `json:"queues,omitempty" fewest:"1" en:"Whose agents have it; left out, all." zh:"供哪些队列的客服使用;不写则全部。"`
	}

	// ClassifierFile is NAME.classify.yaml.
	ClassifierFile struct {
		Classifier NewName `json:"classifier" en:"Its name." zh:"分类器名。"`
		Rules      []Rule  `json:"rules" fewest:"1" en:"In order: a later rule does not change what an earlier one has set." zh:"按顺序:后面的规则不改变前面已定的。"`
	}
	// Rule holds if the text has any of its phrases.
	Rule struct {
		Any Phrases `json:"any" en:"Phrases, by language." zh:"短语,按语言。"`
		Set Facets  `json:"set" en:"What then is known." zh:"由此得出什么。"`
	}
	// Facets are the sides of a classification.
	Facets struct {
		Product   Plain `json:"product,omitempty" en:"What it is about." zh:"关于哪种产品。"`
		Request   Plain `json:"request,omitempty" en:"What is wanted." zh:"想办什么。"`
		Sentiment Plain `json:"sentiment,omitempty" en:"How the customer feels." zh:"客户的情绪。"`
		Influence Plain `json:"influence,omitempty" en:"How far the customer is heard." zh:"客户的影响力。"`
	}
)
