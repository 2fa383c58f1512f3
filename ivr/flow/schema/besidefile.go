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
