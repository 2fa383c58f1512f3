package chat

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"tandem"
	"tandem/bridge/chat"
)

// maxTranscript is how many messages a transcript has at most, the newest.
const maxTranscript = 10_000

// labels are the words of a transcript in one language.
type labels struct {
	Lang                           string
	Title, Cut                     string
	You, Flow, Agent, System       string
	Picture, Link, Choices, Erased string
	States                         map[string]string
}

var (
	labelsEnglish = labels{Lang: "en", Title: "Your conversation", Cut: "Older messages are left out.",
		You: "You", Flow: "Automatic service", Agent: "Agent", System: "System", Picture: "Picture", Link: "Link", Choices: "Choices", Erased: "This message was erased.",
		States: map[string]string{"pending": "not sent yet", "sent": "sent", "failed": "not delivered", "delivered": "delivered", "read": "read"}}
	labelsChinese = labels{Lang: "zh-CN", Title: "对话记录", Cut: "更早的消息已省略。",
		You: "您", Flow: "自动服务", Agent: "客服", System: "系统", Picture: "图片", Link: "链接", Choices: "选项", Erased: "此消息已删除。",
		States: map[string]string{"pending": "待发送", "sent": "已发送", "failed": "发送失败", "delivered": "已送达", "read": "已读"}}
)

// line is one message of a transcript.
type line struct {
	Time, Who, State, Text string
	Notes                  []string // what is beside the text: a picture, a link, choices
}

type transcript struct {
	labels
	Site, Policy, Zone string
	Style              template.CSS
	Cut                string
	Lines              []line
}

const transcriptStyle = `body{font:1rem/1.5 system-ui,sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
li{margin:0 0 1rem}ol{list-style:none;padding:0}.head,.note{color:#555}.text{white-space:pre-wrap;overflow-wrap:anywhere}`

var transcriptPage = template.Must(template.New("transcript").Parse(`<!doctype html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{.Policy}}">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p class="head">{{with .Site}}{{.}} · {{end}}{{.Zone}}</p>
{{with .Cut}}<p class="head">{{.}}</p>
{{end}}<ol>
{{range .Lines}}<li>
<div class="head"><time>{{.Time}}</time> · <strong>{{.Who}}</strong> · {{.State}}</div>
{{with .Text}}<div class="text">{{.}}</div>
{{end}}{{range .Notes}}<div class="note">[{{.}}]</div>
{{end}}</li>
{{end}}</ol>
</body>
</html>
`))

// getTranscript gives the customer what was said, to keep.
func (d *Door) getTranscript(w http.ResponseWriter, r *http.Request, c chat.Conversation) {
	if wait := d.limits.take(keeping, string(c.ID)); wait > 0 {
		tooMany(w, wait)
		return
	}
	entries, cut, err := d.history(r.Context(), c.ID)
	if err != nil {
		d.failed(w, r, err)
		return
	}
	zone, err := time.LoadLocation(r.FormValue("tz")) // "" is UTC
	if err != nil || zone == time.Local {
		zone = time.UTC
	}
	site, _ := d.o.Sites(c.Entry)
	t := transcriptOf(entries, c.Lang, site, zone)
	if !cut {
		t.Cut = ""
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.FormValue("as") == "text" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Content-Disposition", `attachment; filename="transcript.txt"`)
		_, _ = io.WriteString(w, t.plain()) // a client that left is none of ours to mend
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="transcript.html"`)
	h.Set("Content-Security-Policy", t.Policy+"; sandbox")
	if err := transcriptPage.Execute(w, t); err != nil && r.Context().Err() == nil {
		d.o.Log.Error("a transcript could not be written", "conversation", c.ID, "error", err)
	}
}

// history reads a conversation's messages in their order, the newest maxTranscript.
func (d *Door) history(ctx context.Context, id tandem.ConversationID) (all []chat.Entry, cut bool, err error) {
	for rev := uint64(0); ; {
		some, err := d.o.Book.Since(ctx, id, rev, page)
		if err != nil {
			return nil, false, err
		}
		// Read while messages change, one may come twice: the later is right.
		all = append(all, some...)
		if len(some) < page {
			break
		}
		rev = some[len(some)-1].Rev
	}
	slices.SortStableFunc(all, func(a, b chat.Entry) int {
		return cmp.Or(cmp.Compare(a.Message.Seq, b.Message.Seq), cmp.Compare(b.Rev, a.Rev))
	})
	all = slices.CompactFunc(all, func(a, b chat.Entry) bool { return a.Message.Seq == b.Message.Seq })
	if cut = len(all) > maxTranscript; cut {
		all = all[len(all)-maxTranscript:]
	}
	return all, cut, nil
}

func transcriptOf(entries []chat.Entry, lang string, site Site, zone *time.Location) transcript {
	l := labelsEnglish
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		l = labelsChinese
	}
	style := sha256.Sum256([]byte(transcriptStyle))
	t := transcript{labels: l, Site: site.Title[l.Lang], Zone: zone.String(), Cut: l.Cut, Style: template.CSS(transcriptStyle),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) + "'"}
	for i := range entries {
		t.Lines = append(t.Lines, l.line(&entries[i], zone))
	}
	return t
}

func (l *labels) line(e *chat.Entry, zone *time.Location) line {
	m := &e.Message
	out := line{Time: e.At.In(zone).Format("2006-01-02 15:04:05"), State: l.States[string(e.State)], Text: m.Text}
	switch m.From {
	case tandem.SenderCustomer:
		out.Who = l.You
	case tandem.SenderFlow:
		out.Who = l.Flow
	case tandem.SenderAgent:
		out.Who = cmp.Or(m.Name, l.Agent)
	default:
		out.Who = l.System
	}
	if e.Erased {
		out.Text = l.Erased
	}
	if m.Image != "" {
		out.Notes = append(out.Notes, l.Picture)
	}
	if a := m.Attachment; a != nil {
		out.Notes = append(out.Notes, fmt.Sprintf("%s, %d × %d", l.Picture, a.Width, a.Height))
	}
	if m.Link != nil {
		out.Notes = append(out.Notes, strings.TrimSuffix(l.Link+": "+m.Link.Label, ": "))
	}
	if len(m.Buttons) > 0 {
		var choices []string
		for _, b := range m.Buttons {
			choices = append(choices, b.Label)
		}
		out.Notes = append(out.Notes, l.Choices+": "+strings.Join(choices, " / "))
	}
	return out
}

// plain is the transcript as text. Signs that would steer a terminal are left out.
func (t *transcript) plain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", t.Title)
	if t.Site != "" {
		fmt.Fprintf(&b, "%s\n", t.Site)
	}
	fmt.Fprintf(&b, "%s\n", t.Zone)
	if t.Cut != "" {
		fmt.Fprintf(&b, "%s\n", t.Cut)
	}
	for _, l := range t.Lines {
		fmt.Fprintf(&b, "\n%s · %s · %s\n", l.Time, l.Who, l.State)
		if l.Text != "" {
			fmt.Fprintf(&b, "%s\n", l.Text)
		}
		for _, note := range l.Notes {
			fmt.Fprintf(&b, "[%s]\n", note)
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, b.String())
}
