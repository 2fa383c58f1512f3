package picture

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// sketch makes a flow from lines of "step verb detail | prompt | outcome>target …",
// where menus take "1:name>target" and branches "if:condition>target"; lines that
// begin with @ set what stands at the head of a file.
func sketch(t testing.TB, text string) *flow.Flow {
	t.Helper()
	env := expression.NewEnv()
	env.Declare("tier", &expression.Type{Kind: expression.Text}, false)
	env.Declare("channel", &expression.Type{Kind: expression.Text}, false)
	env.Declare("n", &expression.Type{Kind: expression.Int}, false)
	f := &flow.Flow{
		Name: "sketch", Pos: flow.Pos{File: "sketch.flow.yaml", Line: 1}, Channels: []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS},
		Languages: []string{"en"}, Steps: map[string]*flow.Step{}, Prompts: map[string]*flow.Prompt{}, Env: env,
	}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if head, ok := strings.CutPrefix(line, "@"); ok {
			key, value, _ := strings.Cut(head, " ")
			setHead(f, key, value)
			continue
		}
		parts := strings.Split(line+"||", "|")
		words := strings.Fields(parts[0])
		s := &flow.Step{Name: words[0], Pos: flow.Pos{File: f.Pos.File, Line: i + 1}, Next: flow.Next{By: map[string]string{}}}
		what := ""
		for _, w := range words[2:] {
			switch key, value, _ := strings.Cut(w, "="); key {
			case "needs":
				s.Needs, _ = tandem.ParseAssurance(value)
			case "visits":
				fmt.Sscan(value, &s.MaxVisits)
			case "if":
				s.If = program(t, env, value)
			default:
				what = w
			}
		}
		s.Verb = verb(t, env, words[1], what, prompt(t, env, strings.TrimSpace(parts[1])), strings.Fields(parts[2]), s)
		f.Steps[s.Name] = s
		f.Order = append(f.Order, s.Name)
		if f.Start == "" {
			f.Start = s.Name
		}
	}
	return f
}

func setHead(f *flow.Flow, key, value string) {
	switch key {
	case "flow":
		f.Name = value
	case "languages":
		f.Languages = strings.Fields(value)
	case "channels":
		f.Channels = nil
		for _, c := range strings.Fields(value) {
			f.Channels = append(f.Channels, tandem.Channel(c))
		}
	case "start":
		f.Start = value
	case "on_leave":
		f.OnLeave = value
	case "on_error":
		f.OnError = value
	case "command":
		w := strings.Fields(value)
		f.Commands = append(f.Commands, &flow.Command{Name: w[0], Keys: w[1], Go: strings.Join(w[2:], "")})
	}
}

func program(t testing.TB, env *expression.Env, src string) *expression.Program {
	t.Helper()
	p, err := env.Compile(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// prompt reads "English / 中文".
func prompt(t testing.TB, env *expression.Env, text string) *flow.Prompt {
	t.Helper()
	if text == "" {
		return nil
	}
	p := &flow.Prompt{ByLang: map[string]*flow.Words{}}
	en, zh, both := strings.Cut(text, " / ")
	p.ByLang["en"] = &flow.Words{Text: template(t, env, en)}
	if both {
		p.ByLang["zh-CN"] = &flow.Words{Text: template(t, env, zh)}
	}
	return p
}

func template(t testing.TB, env *expression.Env, src string) *expression.Template {
	t.Helper()
	x, err := env.Template(src)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// verb makes the verb and the ways out of its step.
func verb(t testing.TB, env *expression.Env, name, what string, p *flow.Prompt, ways []string, s *flow.Step) flow.Verb {
	t.Helper()
	menu, branch := &flow.Menu{Prompt: p}, &flow.Branch{}
	var outcomes []string
	for _, w := range ways {
		i := strings.LastIndex(w, ">")
		label, to := w[:i], w[i+1:]
		switch key, value, ok := strings.Cut(label, ":"); {
		case ok && name == "menu":
			menu.Choices = append(menu.Choices, &flow.Choice{Keys: key, Phrases: map[string][]string{"en": {value}}, Go: to})
		case ok && name == "branch":
			branch.Arms = append(branch.Arms, flow.Arm{If: program(t, env, value), Go: to})
		case label == "":
			s.Next.To = to
		case label == "else":
			s.Next.Else = to
		default:
			for _, o := range strings.Split(label, ",") {
				s.Next.By[o] = to
				outcomes = append(outcomes, o)
			}
		}
	}
	switch name {
	case "say":
		return &flow.Say{Prompt: p}
	case "menu":
		return menu
	case "collect":
		return &flow.Collect{Prompt: p, Into: what}
	case "secret":
		return &flow.Collect{Prompt: p, Into: what, Secrecy: flow.Secret}
	case "language":
		return &flow.Language{Prompt: p, By: []string{"caller", "menu"}}
	case "set":
		return &flow.Set{Assign: []flow.Assignment{{Name: what}}}
	case "branch":
		return branch
	case "hours":
		return &flow.Hours{Calendar: what}
	case "http":
		return &flow.HTTP{Method: "POST", URL: template(t, env, "http://core.example/"+what)}
	case "subflow":
		return flow.NewSubflow(what, nil, "", outcomes)
	case "message":
		return &flow.Message{Prompt: p, By: []string{"sms"}}
	case "link":
		return &flow.LinkStep{Operation: what, Prompt: p, Wait: 3 * time.Minute}
	case "handoff":
		return &flow.Handoff{To: tandem.Chat, Prompt: p}
	case "identify":
		return &flow.IdentifyStep{Level: tandem.Verified, By: []string{"code"}}
	case "resume":
		return &flow.ResumeStep{}
	case "classify":
		return &flow.Classify{Classifier: what}
	case "answer":
		return &flow.Answer{Knowledge: what}
	case "queue":
		return &flow.QueueStep{Name: what, Offer: []flow.Offer{{What: "callback", Keys: "1"}}}
	case "transfer":
		return &flow.Transfer{To: template(t, env, what)}
	case "callback":
		return &flow.CallbackStep{Queue: what}
	case "voicemail":
		return &flow.Voicemail{Box: what}
	case "record":
		return &flow.RecordStep{Into: what}
	case "ticket":
		return &flow.TicketStep{Form: what}
	case "consent":
		return &flow.ConsentStep{Kind: "recording", Prompt: p}
	case "survey":
		return &flow.SurveyStep{Form: what}
	case "end":
		return &flow.End{Reason: what}
	}
	t.Fatalf("no verb %s", name)
	return nil
}

// frontDoor is the example of the language page.
const frontDoor = `
@flow front_door
@languages en zh-CN
@on_leave left
@on_error person
@command agent *0 person
opening hours head_office || open>greet else>night
greet say | Welcome to Harbour Bank. / 欢迎致电海港银行。 | >main
main menu | For your card, press 1. To bank online, press 2. For a person, press 0. / 信用卡请按1，网上银行请按2，人工请按0。 | 1:card>number 2:online>online 0:person>person no_input>person no_match>person
number collect account | Enter your six digit account number. / 请输入六位账号。 | ok>prove else>person
prove identify || passed>look_up else>person
look_up http cards/find needs=verified || ok>owed else>person
owed say needs=verified | You owe ${n}. / 您的欠款为${n}。 | >main
online link enrol | Set up online banking here: ${n} / 点击开通网上银行 | done>thanks else>person
thanks say | You are all set. / 已经办好了。 | >rate
person queue cards || answered>rate callback>end else>mailbox
mailbox branch || if:channel=='voice'>tape else>note
tape voicemail cards || >end
note collect words | Please write what you need. / 请写下您的需求。 | ok>file else>end
file ticket request || >end
rate survey csat || >end
night say | We open at nine. / 我们九点开始服务。 | >mailbox
left end left
`

// bigFlow makes a flow as large banks have them: menus in menus, each with services
// that ask, look up and tell, with faults going to a person.
func bigFlow(t testing.TB, steps int) *flow.Flow {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(steps)))
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("@flow big_%d", steps)
	line("@languages en zh-CN\n@on_leave bye\n@on_error person\n@command agent *0 person\n@command help *4 help")
	line("opening hours head_office || open>greet closed>night holiday>night")
	line("greet say | Welcome to Harbour Bank. / 欢迎致电海港银行。 | >tongue")
	line("tongue language | For English, press 1. / 中文请按2。 | >main")
	areas := max(1, min(7, (steps-10)/8))
	names := []string{"cards", "accounts", "loans", "online", "travel", "savings", "business"}
	line("help say | You can press keys at any time. / 您可以随时按键。 | >main")
	line("night say | We open at nine. / 我们九点开始服务。 | >mailbox")
	choices := ""
	for i := range areas {
		choices += fmt.Sprintf("%d:%s>%s ", i+1, names[i], names[i])
	}
	line("main menu | What can we do for you? / 请选择服务。 | %s 0:person>person no_input>person no_match>person", choices)
	left := steps*5/4 - 13 - areas
	for i, area := range names[:areas] {
		chains := max(1, (left+areas-1-i)/areas/4) // services of four or five steps behind this menu, two of them on its keys
		line("%s menu visits=5 | %s: press 1, 2 or 3. / 请按键。 | 1:balance>%s_1 2:report>%s_%d 9:back>main no_input,no_match>person", area, area, area, area, min(2, chains))
		for k := 1; k <= chains; k++ {
			n, next := fmt.Sprintf("%s_%d", area, k), fmt.Sprintf("%s_%d", area, k+1)
			if k == chains {
				next = area
			}
			line("%s collect account_%d | Enter the number of your account. / 请输入账号。 | ok>%s_check no_input,no_match>person", n, k, n)
			line("%s_check identify || passed>%s_ask failed>person declined>%s unsupported>person", n, n, area)
			line("%s_ask http %s/find needs=verified || ok>%s_tell not_found>%s timeout,error>person", n, area, n, n)
			if r.IntN(2) == 0 {
				line("%s_tell say | You owe ${n} on this one, to be paid soon. | >%s_more", n, n)
				line("%s_more branch || if:tier=='gold'>person if:n>100>%s else>rate", n, next)
			} else {
				line("%s_tell say | You owe ${n}. / 您的欠款为${n}。 | >%s", n, next)
			}
		}
	}
	line("person queue cards || answered>rate callback>end else>mailbox")
	line("mailbox branch || if:channel=='voice'>tape else>note")
	line("tape voicemail cards || left>end too_short>repeat")
	line("note collect words | Please write what you need. / 请写下您的需求。 | ok>file else>end")
	line("file ticket request || >end")
	line("rate survey csat || >end")
	line("bye end left")
	return sketch(t, b.String())
}
