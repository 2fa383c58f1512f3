package schema

// What a queues file holds: who waits where, who serves, and by which rule.
type (
	// QueuesFile is NAME.queues.yaml.
	QueuesFile struct {
		Queues map[NewName]QueueBody   `json:"queues,omitempty" en:"The lines by name." zh:"按名称列出的队列。"`
		Boxes  map[NewName]BoxBody     `json:"boxes,omitempty" en:"Voicemail boxes by name." zh:"按名称列出的语音信箱。"`
		Teams  map[NewName]TeamBody    `json:"teams,omitempty" en:"Teams by name." zh:"按名称列出的团队。"`
		Agents map[AgentName]AgentBody `json:"agents,omitempty" en:"Who serves, by the name they log in by (tandem user)." zh:"客服,按登录名(tandem user)。"`
		Policy PolicyBody              `json:"policy,omitempty" en:"What holds for the whole line; in one file of the folder." zh:"对所有队列有效的规则;整个目录中只写在一个文件里。"`
	}
	// QueueBody is one line.
	QueueBody struct {
		Teams       []TeamName          `json:"teams,omitempty" en:"Who serves it." zh:"由哪些团队服务。"`
		Target      Targets             `json:"target,omitempty" en:"How soon customers are to be served. It orders the line: who is due first is served first." zh:"应在多久内接待客户。队列按到期时间排序,先到期者先接待。"`
		Levels      map[NewName]Targets `json:"levels,omitempty" en:"Other targets for customers of a level, which a step names; what is left out is as for all." zh:"步骤所写客户级别的其他时限;未写的与其他客户相同。"`
		Full        Count               `json:"full,omitempty" least:"1" most:"1000000" en:"How many may wait." zh:"最多多少人等候。"`
		Hours       CalendarName        `json:"hours,omitempty" en:"When it is open; else always. While it is closed nobody is let in live, and callbacks, voicemails and tickets wait for the opening." zh:"开放时间;未写则一直开放。关闭时不接受实时排队,回电、留言和工单等到开放后处理。"`
		MaxWait     Duration            `json:"max_wait,omitempty" least:"1s" most:"24h" en:"How long to wait where the step does not say; else for ever." zh:"步骤未写时最长等待多久;都未写则一直等。"`
		PreferLast  Duration            `json:"prefer_last,omitempty" least:"1s" most:"1h" en:"How long a customer is kept for the agent who served them last." zh:"客户为上次接待的客服保留多久。"`
		Relax       []QueueRelax        `json:"relax,omitempty" en:"When skills may be lower, in the order of time." zh:"等多久后降低技能要求,按时间先后。"`
		Overflow    []QueueOverflow     `json:"overflow,omitempty" en:"When other teams help, in the order of time." zh:"等多久后由其他团队协助,按时间先后。"`
		OfferAfter  QueueOffers         `json:"offer_after,omitempty" en:"How long somebody waits before a step's offers are made." zh:"等多久后才提供步骤中的其他方式。"`
		Callback    QueueCallback       `json:"callback,omitempty" en:"How callbacks are made." zh:"怎样回电。"`
		Escalate    []OwnerName         `json:"escalate,omitempty" en:"Who has a ticket next, one at each missed deadline: \"agent:NAME\", \"team:NAME\" or \"queue:NAME\"." zh:"工单每次逾期后依次转给谁:\"agent:名称\"、\"team:名称\" 或 \"queue:名称\"。"`
		Disposition Word                `json:"disposition,omitempty" words:"required,optional" en:"Whether its agents must say what came of a task before their wrap-up is over." zh:"客服结束后处理前是否必须填写处理结果。"`
	}
	// Targets is a time for each kind of task.
	Targets struct {
		Voice     Duration `json:"voice,omitempty" least:"1s" most:"7d" en:"On the phone (20s)." zh:"电话(20s)。"`
		Chat      Duration `json:"chat,omitempty" least:"1s" most:"7d" en:"In chat (1m)." zh:"聊天(1m)。"`
		SMS       Duration `json:"sms,omitempty" least:"1s" most:"7d" en:"By SMS (15m)." zh:"短信(15m)。"`
		Callback  Duration `json:"callback,omitempty" least:"1s" most:"7d" en:"A callback that was booked (20s)." zh:"预约的回电(20s)。"`
		Voicemail Duration `json:"voicemail,omitempty" least:"1s" most:"7d" en:"A voicemail (4h)." zh:"语音留言(4h)。"`
		Ticket    Duration `json:"ticket,omitempty" least:"1s" most:"7d" en:"A ticket that has no time of its own (1d)." zh:"没有自己期限的工单(1d)。"`
	}
	// QueueRelax asks for less of skills.
	QueueRelax struct {
		After  Duration                 `json:"after" least:"1s" most:"24h" en:"So long in line." zh:"排队多久后。"`
		Skills map[SkillName]SkillLevel `json:"skills" fewest:"1" en:"By how many levels each skill is lowered, beside what was lowered before; \"*\" is every other skill. A skill at 0 is no longer asked for." zh:"各技能再降低多少级;\"*\" 表示其余各项。降到 0 即不再要求。"`
	}
	// QueueOverflow lets other teams help.
	QueueOverflow struct {
		After Duration   `json:"after" least:"1s" most:"24h" en:"So long in line." zh:"排队多久后。"`
		Teams []TeamName `json:"teams" en:"Who helps." zh:"由哪些团队协助。"`
	}
	// QueueOffers is a wait for each offer.
	QueueOffers struct {
		Callback Duration `json:"callback,omitempty" least:"0s" most:"24h" def:"0s" en:"To be called back." zh:"回电。"`
		Chat     Duration `json:"chat,omitempty" least:"0s" most:"24h" def:"0s" en:"To go on waiting in chat." zh:"转到聊天继续等。"`
		SMS      Duration `json:"sms,omitempty" least:"0s" most:"24h" def:"0s" en:"To go on waiting by SMS." zh:"转到短信继续等。"`
	}
	// QueueCallback is how callbacks are made.
	QueueCallback struct {
		Tries  Count    `json:"tries,omitempty" least:"1" most:"10" def:"2" en:"How often the customer is dialled." zh:"最多拨打几次。"`
		Gap    Duration `json:"gap,omitempty" least:"1m" most:"24h" def:"15m" en:"How long after a try the next may be." zh:"两次之间至少隔多久。"`
		Window Duration `json:"window,omitempty" least:"1m" most:"7d" def:"2h" en:"How long after its time a callback may begin that was booked for one; else as the step says." zh:"约定时间之后多久之内开始;步骤写了则以步骤为准。"`
	}
	// BoxBody is one voicemail box.
	BoxBody struct {
		Queue QueueName `json:"queue" en:"Whose it is." zh:"归属的队列。"`
	}
	// TeamBody is one team.
	TeamBody struct {
		Site NewName `json:"site,omitempty" en:"Where it works." zh:"所在地点。"`
	}
	// AgentBody is one agent.
	AgentBody struct {
		Teams    []TeamName               `json:"teams,omitempty" en:"What they are in." zh:"所属团队。"`
		Skills   map[SkillName]SkillLevel `json:"skills,omitempty" en:"What they can do, each from 1 to 9." zh:"技能及级别,1 到 9。"`
		Capacity AgentCapacity            `json:"capacity,omitempty" en:"How much at once, where it differs from the policy." zh:"同时处理的数量,与规则不同的部分。"`
	}
	// AgentCapacity is how many of each load one agent has at once.
	AgentCapacity struct {
		Voice Count `json:"voice,omitempty" least:"0" most:"2" en:"Calls and callbacks." zh:"来电和回电。"`
		Chat  Count `json:"chat,omitempty" least:"0" most:"20" en:"Chats." zh:"聊天。"`
		SMS   Count `json:"sms,omitempty" least:"0" most:"50" en:"Customers who write by SMS." zh:"短信客户。"`
		Work  Count `json:"work,omitempty" least:"0" most:"20" en:"Voicemails and tickets." zh:"留言和工单。"`
	}
	// PolicyBody is what holds for the whole line.
	PolicyBody struct {
		MostPriority Duration                            `json:"most_priority,omitempty" least:"0s" most:"24h" def:"10m" en:"The most head start that a step can give." zh:"步骤最多可给多少提前量。"`
		Capacity     PolicyCapacity                      `json:"capacity,omitempty" en:"How much at once an agent has who has no figure of their own." zh:"没有自己数值的客服同时处理的数量。"`
		Blocks       PolicyBlocks                        `json:"blocks,omitempty" en:"What is not offered to an agent who has some of a load; it stands in the place of the default." zh:"处理某类工作时不再分配哪些工作;写了即取代默认值。"`
		Offer        PolicyOffers                        `json:"offer,omitempty" en:"How long an agent has to take an offer." zh:"客服接受分配的时限。"`
		WrapUp       PolicyWrapUps                       `json:"wrap_up,omitempty" en:"How long notes may take after the customer has left; 0s for none." zh:"客户离开后填写记录的时间;0s 表示没有。"`
		DeclineRest  Duration                            `json:"decline_rest,omitempty" least:"0s" most:"1h" def:"60s" en:"How long the same task is not offered again to an agent who let it pass." zh:"客服放过的任务多久内不再分配给该客服。"`
		Misses       Count                               `json:"misses,omitempty" least:"0" most:"100" def:"3" en:"After how many missed offers in a row an agent is away; 0 for never." zh:"连续错过几次后视为离开;0 表示从不。"`
		Away         map[NewName]map[Language]PlainWords `json:"away,omitempty" en:"Reasons to be away, up to 50, in the words that people read." zh:"离开的原因,最多 50 个,及其显示文字。"`
		Dispositions map[NewName]map[Language]PlainWords `json:"dispositions,omitempty" en:"What can come of a task, up to 50, in the words that people read; without them agents use words of their own." zh:"处理结果,最多 50 个,及其显示文字;不写则由客服自行填写。"`
	}
	// PolicyCapacity is how many of each load an agent has at once.
	PolicyCapacity struct {
		Voice Count `json:"voice,omitempty" least:"0" most:"2" def:"1" en:"Calls and callbacks." zh:"来电和回电。"`
		Chat  Count `json:"chat,omitempty" least:"0" most:"20" def:"3" en:"Chats." zh:"聊天。"`
		SMS   Count `json:"sms,omitempty" least:"0" most:"50" def:"5" en:"Customers who write by SMS." zh:"短信客户。"`
		Work  Count `json:"work,omitempty" least:"0" most:"20" def:"1" en:"Voicemails and tickets." zh:"留言和工单。"`
	}
	// PolicyBlocks is what each load keeps away.
	PolicyBlocks struct {
		Voice []Word `json:"voice,omitempty" words:"voice,chat,sms,work" def:"[chat, sms, work]" en:"While they are on the phone." zh:"通话时。"`
		Chat  []Word `json:"chat,omitempty" words:"voice,chat,sms,work" en:"While they chat." zh:"聊天时。"`
		SMS   []Word `json:"sms,omitempty" words:"voice,chat,sms,work" en:"While they write by SMS." zh:"回复短信时。"`
		Work  []Word `json:"work,omitempty" words:"voice,chat,sms,work" en:"While they do a voicemail or a ticket." zh:"处理留言或工单时。"`
	}
	// PolicyOffers is the time to answer an offer.
	PolicyOffers struct {
		Voice Duration `json:"voice,omitempty" least:"5s" most:"1h" def:"20s" en:"Of a call." zh:"来电。"`
		Chat  Duration `json:"chat,omitempty" least:"5s" most:"1h" def:"30s" en:"Of a chat." zh:"聊天。"`
		SMS   Duration `json:"sms,omitempty" least:"5s" most:"1h" def:"2m" en:"Of a customer who writes by SMS." zh:"短信。"`
		Work  Duration `json:"work,omitempty" least:"5s" most:"1h" def:"5m" en:"Of a voicemail or a ticket." zh:"留言或工单。"`
	}
	// PolicyWrapUps is the time for notes.
	PolicyWrapUps struct {
		Voice Duration `json:"voice,omitempty" least:"0s" most:"1h" def:"60s" en:"After a call." zh:"通话后。"`
		Chat  Duration `json:"chat,omitempty" least:"0s" most:"1h" def:"30s" en:"After a chat." zh:"聊天后。"`
		SMS   Duration `json:"sms,omitempty" least:"0s" most:"1h" def:"0s" en:"After texts." zh:"短信后。"`
		Work  Duration `json:"work,omitempty" least:"0s" most:"1h" def:"0s" en:"After a voicemail or a ticket." zh:"留言或工单后。"`
	}
)
