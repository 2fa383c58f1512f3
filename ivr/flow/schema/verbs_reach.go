package schema

// The verbs that reach other systems, other channels and people.
type (
	// HTTP asks another system.
	HTTP struct {
		Get        Text            `json:"get,omitempty" en:"The address to read from." zh:"读取的地址。"`
		Post       Text            `json:"post,omitempty" en:"The address to send to." zh:"提交的地址。"`
		Put        Text            `json:"put,omitempty" en:"The address to write to." zh:"写入的地址。"`
		Patch      Text            `json:"patch,omitempty" en:"The address to change." zh:"修改的地址。"`
		Delete     Text            `json:"delete,omitempty" en:"The address to delete." zh:"删除的地址。"`
		Headers    map[Header]Text `json:"headers,omitempty" en:"Request headers; a secret may be in them." zh:"请求头;可含机密。"`
		JSON       Any             `json:"json,omitempty" en:"The body; texts may hold ${…}, also of a secret." zh:"请求体;文字中可用 ${…},可含机密。"`
		Into       VariableName    `json:"into,omitempty" en:"Receives the answer." zh:"存放返回结果的变量。"`
		Timeout    Duration        `json:"timeout,omitempty" least:"100ms" most:"60s" def:"5s" en:"How long to wait for the answer." zh:"等待答复多久。"`
		Retry      Count           `json:"retry,omitempty" least:"0" most:"5" def:"0" en:"How often to try again; a post or patch only with idempotent: true." zh:"重试次数;post 或 patch 需 idempotent: true。"`
		Idempotent YesNo           `json:"idempotent,omitempty" def:"false" en:"The other system counts a repeated request once; an Idempotency-Key is sent." zh:"对方对重复请求只算一次;会发送 Idempotency-Key。"`
	}

	// Subflow calls another flow.
	Subflow struct {
		Name FlowName               `json:"name" en:"A flow with outcomes." zh:"带有 outcomes 的流程。"`
		With map[NewName]Expression `json:"with,omitempty" en:"Its inputs." zh:"传入的值。"`
		Into VariableName           `json:"into,omitempty" en:"An object that receives what it returns." zh:"存放其返回值的对象变量。"`
	}

	// Message writes to somebody.
	Message struct {
		Prompt   Prompt                 `json:"prompt,omitempty" en:"The words; or template." zh:"消息文字;或用 template。"`
		Template Plain                  `json:"template,omitempty" en:"A text that the gateway knows by this name; or prompt." zh:"网关中已有的模板名;或用 prompt。"`
		With     map[NewName]Expression `json:"with,omitempty" en:"The values of the template." zh:"模板的参数。"`
		By       []Word                 `json:"by,omitempty" fewest:"1" words:"sms,chat,mail" def:"[sms, chat, mail]" en:"The ways to try, the first that works." zh:"发送方式,先可用者为准。"`
		To       Expression             `json:"to,omitempty" en:"A phone number or mail address; else the customer's." zh:"电话号码或邮箱;未写则为客户的。"`
		Image    Path                   `json:"image,omitempty" en:"An image that goes with it." zh:"附带的图片。"`
	}

	// Link sends a link to a page.
	Link struct {
		Operation OperationName          `json:"operation" en:"What the page does." zh:"页面上办理的操作。"`
		Prompt    Prompt                 `json:"prompt" en:"The words it is sent with; ${link.url} is the address." zh:"随链接发送的话;${link.url} 是地址。"`
		By        []Word                 `json:"by,omitempty" fewest:"1" words:"sms,chat,mail" def:"[sms, chat, mail]" en:"The ways to try, the first that works." zh:"发送方式,先可用者为准。"`
		With      map[NewName]Expression `json:"with,omitempty" en:"What the forms of the page hold at first." zh:"页面表单中预填的值。"`
		Expires   Duration               `json:"expires,omitempty" least:"1m" most:"7d" def:"15m" en:"How long the link can be used." zh:"链接的有效期。"`
		Wait      Duration               `json:"wait,omitempty" least:"1s" most:"1h" en:"How long to wait for the page to be finished; without it the flow goes on at once." zh:"等待页面办完多久;不写则立即继续。"`
		OnOpened  Prompt                 `json:"on_opened,omitempty" en:"Said when the customer opens the page, while the step waits." zh:"等待期间客户打开页面时说的话。"`
	}

	// Handoff asks the customer to change the channel.
	Handoff struct {
		To        Word   `json:"to" words:"sms,chat,voice" en:"Where to go on." zh:"换到哪个渠道。"`
		Prompt    Prompt `json:"prompt" en:"The words of the invitation; ${link.url} is its address." zh:"邀请的话;${link.url} 是地址。"`
		KeepPlace YesNo  `json:"keep_place,omitempty" def:"false" en:"Keeps the place in line." zh:"保留排队位置。"`
	}

	// Identify finds out who the customer is.
	Identify struct {
		Level    Word      `json:"level" words:"recognised,verified,proofed" en:"The level that passed gives; code, pin and questions give verified, video gives proofed." zh:"passed 时达到的级别;code、pin、questions 可达 verified,video 可达 proofed。"`
		By       []Word    `json:"by" fewest:"1" words:"code,pin,questions,video" en:"The methods in order of preference." zh:"验证方法,按优先顺序。"`
		Fallback Word      `json:"fallback,omitempty" words:"code,pin,questions,video" en:"A method for where none of them is possible." zh:"以上都不可行时的方法。"`
		Check    CheckName `json:"check,omitempty" en:"How video proves it, a NAME.check.yaml; may be left out where the folder has just one." zh:"视频核验的做法,即某个 NAME.check.yaml;目录中只有一个时可不写。"`
	}

	// Resume goes on with an earlier interaction.
	Resume struct{}

	// Classify sorts a text by rules.
	Classify struct {
		Classifier ClassifierName `json:"classifier" en:"The rules." zh:"分类规则。"`
		Text       Expression     `json:"text" en:"What is sorted." zh:"要分类的文字。"`
		Into       ClassifyInto   `json:"into" en:"Which variable receives which side." zh:"各方面存入哪个变量。"`
	}
	// ClassifyInto names a variable for each side.
	ClassifyInto struct {
		Product   VariableName `json:"product,omitempty" en:"What it is about." zh:"关于哪种产品。"`
		Request   VariableName `json:"request,omitempty" en:"What is wanted." zh:"想办什么。"`
		Sentiment VariableName `json:"sentiment,omitempty" en:"How the customer feels." zh:"客户的情绪。"`
		Influence VariableName `json:"influence,omitempty" en:"How far the customer is heard." zh:"客户的影响力。"`
	}

	// Answer answers from articles.
	Answer struct {
		Knowledge KnowledgeName `json:"knowledge" en:"A folder of articles under knowledge." zh:"knowledge 下的文章目录。"`
		Text      Expression    `json:"text" en:"The question." zh:"问题。"`
		MinScore  Share         `json:"min_score,omitempty" least:"0" most:"1" def:"0.5" en:"The share of an article's words that the question must have." zh:"问题须含有文章关键词的比例。"`
	}

	// Queue puts the customer in line.
	Queue struct {
		Name          QueueName  `json:"name" en:"The line." zh:"队列。"`
		Level         LevelText  `json:"level,omitempty" en:"The customer's level, one of the queue's; what is none of them is ordinary." zh:"客户级别,取队列所列之一;不在其中的为普通级别。"`
		Skills        []Wanted   `json:"skills,omitempty" en:"What the agent must be able to do, up to 20: \"lang:en\", or \"cards>=3\" for level 3 or better." zh:"客服需具备的技能,最多 20 项:如 \"lang:en\";\"cards>=3\" 表示 3 级以上。"`
		Priority      Expression `json:"priority,omitempty" en:"A head start, such as 60s; the policy bounds it." zh:"提前量,如 60s;以规则的上限为限。"`
		MaxWait       Duration   `json:"max_wait,omitempty" least:"1s" most:"24h" en:"How long to wait; else as the queue says." zh:"最长等待;未写则按队列设置。"`
		AnnounceEvery Duration   `json:"announce_every,omitempty" least:"10s" most:"1h" en:"How often the place in line is told." zh:"多久报一次排队位置。"`
		Offer         Offer      `json:"offer,omitempty" en:"What may be taken instead, by which keys; the queue may make it wait (offer_after)." zh:"等候时可改选什么,按什么键;队列可用 offer_after 推迟。"`
		During        FlowName   `json:"during,omitempty" en:"A flow that an agent may start meanwhile." zh:"客服在此期间可启动的流程。"`
	}
	// Offer is the keys for each other way to be served.
	Offer struct {
		Callback Keys `json:"callback,omitempty" en:"To be called back." zh:"回电。"`
		Chat     Keys `json:"chat,omitempty" en:"To go on waiting in chat." zh:"转到聊天继续等。"`
		SMS      Keys `json:"sms,omitempty" en:"To go on waiting by SMS." zh:"转到短信继续等。"`
	}

	// Transfer connects the customer to somebody.
	Transfer struct {
		To   Text     `json:"to" en:"\"sip:…\", \"tel:…\", \"agent:…\" or \"queue:…\"." zh:"\"sip:…\"、\"tel:…\"、\"agent:…\" 或 \"queue:…\"。"`
		Mode Word     `json:"mode,omitempty" words:"blind,attended" def:"blind" en:"attended stays until the other one has answered." zh:"attended 表示等对方接听后再退出。"`
		Ring Duration `json:"ring,omitempty" least:"1s" most:"3m" def:"30s" en:"How long it may ring." zh:"振铃多久。"`
	}

	// Callback books a call.
	Callback struct {
		To     Expression `json:"to,omitempty" en:"A phone number; else the customer's." zh:"电话号码;未写则为客户的。"`
		At     Text       `json:"at,omitempty" en:"A date, a time or both; else as soon as an agent is free." zh:"日期、时间或两者;未写则客服一有空就回电。"`
		Window Duration   `json:"window,omitempty" least:"1m" most:"7d" en:"How long after that it may begin." zh:"之后多久之内开始。"`
		Queue  QueueName  `json:"queue,omitempty" en:"Who calls; else the queue the customer was last in." zh:"由哪个队列回电;未写则为客户上次所在的队列。"`
	}

	// Voicemail records a message.
	Voicemail struct {
		Box        BoxName  `json:"box" en:"Where it goes." zh:"存入哪个信箱。"`
		Max        Duration `json:"max,omitempty" least:"1s" most:"10m" def:"2m" en:"How long it may be." zh:"最长时间。"`
		Transcribe YesNo    `json:"transcribe,omitempty" def:"false" en:"Have it written down." zh:"转写成文字。"`
	}

	// Record records the customer.
	Record struct {
		Into VariableName `json:"into" en:"A variable of type recording." zh:"recording 类型的变量。"`
		Max  Duration     `json:"max,omitempty" least:"1s" most:"10m" def:"1m" en:"How long it may be." zh:"最长时间。"`
	}

	// Ticket opens a work order.
	Ticket struct {
		Form  FormName               `json:"form" en:"What it holds." zh:"工单的表单。"`
		With  map[NewName]Expression `json:"with,omitempty" en:"Its fields; one not named here has the variable of its name." zh:"各字段的值;未列出的取同名变量。"`
		Owner OwnerText              `json:"owner,omitempty" en:"Whose it is: \"agent:NAME\", \"team:NAME\" or \"queue:NAME\"; else whose queue the customer was last in." zh:"负责人:\"agent:名称\"、\"team:名称\" 或 \"queue:名称\";未写则为客户上次所在的队列。"`
		Due   Duration               `json:"due,omitempty" least:"1m" most:"90d" en:"By when it is to be done, from now." zh:"从现在起多久内完成。"`
		Into  VariableName           `json:"into,omitempty" en:"Receives the ticket's number." zh:"存放工单号的变量。"`
	}

	// Survey asks the questions of a form.
	Survey struct {
		Form  FormName `json:"form" en:"The questions." zh:"问题表单。"`
		By    []Word   `json:"by,omitempty" fewest:"1" words:"voice,chat,sms" def:"[voice, chat, sms]" en:"The channels; the present one if it is among them." zh:"渠道;若含当前渠道则用当前渠道。"`
		After Duration `json:"after,omitempty" least:"1s" most:"30d" en:"Asks that long after the flow has gone on; without it now, and waits." zh:"流程继续之后多久再问;不写则现在问并等待。"`
	}
)
