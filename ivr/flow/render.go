package flow

import (
	"strings"

	"tandem"
)

// Shown is one message as a text channel shows it, or one prompt as text.
type Shown struct {
	Text    string
	Image   string   // path relative to the flows folder; "" = none
	Buttons []Option // chat only: a tapped one is a reply with its Label
	Secret  bool     // the reply to it is a secret: neither side shows it
	Place   bool     // the place in line: in chat it is edited, not sent again
}

// Render is how what was said, and the wait after it, look on a channel: by voice as
// text, in chat with buttons, by SMS with numbered lines unless the words name every
// key themselves. What a step asks in several prompts is one message. The place in line
// comes last, in words of the program's own.
func Render(channel tandem.Channel, lang string, plays []Play, w Wait) []Shown {
	out := messages(channel, plays, w)
	if w.Kind == WaitQueue && !w.Served {
		var pressed []Option // a caller is told the keys; others see them
		if channel == tandem.Voice {
			pressed = w.Options
		}
		out = append(out, Shown{Text: Text(PlaceParts(lang, w.Place, pressed)), Place: true})
	}
	if len(out) == 0 {
		return nil
	}
	last := &out[len(out)-1]
	last.Secret = w.Secret
	options := w.Options
	if w.Kind == WaitQueue {
		options = make([]Option, len(w.Options))
		for i, o := range w.Options {
			options[i] = Option{Keys: o.Keys, Label: Offered(lang, o.Label)}
		}
	}
	switch channel {
	case tandem.Chat:
		last.Buttons = options
	case tandem.SMS:
		if !named(plays, w, options) {
			last.Text = numbered(last.Text, options)
		}
	}
	return out
}

// Text joins the parts of a prompt as they are written.
func Text(parts []tandem.Part) string {
	if len(parts) == 1 {
		return parts[0].Text
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// messages makes one message of each prompt, and in text one of all that the step asks
// that now listens.
func messages(channel tandem.Channel, plays []Play, w Wait) []Shown {
	var out []Shown
	asking := false
	for _, p := range plays {
		text := Text(p.Parts)
		if channel == tandem.Voice {
			if text == "" && p.Audio != "" {
				text = "(" + p.Audio + ")"
			}
			out = append(out, Shown{Text: text, Image: p.Image})
			continue
		}
		if text == "" && p.Image == "" {
			continue // a recording only: there is nothing to read
		}
		own := w.Kind == WaitListen && p.Step == w.Step
		if own && asking {
			last := &out[len(out)-1]
			last.Text = joined(last.Text, "\n", text)
			if last.Image == "" {
				last.Image = p.Image
			}
			continue
		}
		asking = own
		out = append(out, Shown{Text: text, Image: p.Image})
	}
	return out
}

// named tells whether what the step asks names the key of every option.
func named(plays []Play, w Wait, options []Option) bool {
	if len(options) == 0 {
		return true
	}
	var asked strings.Builder
	for _, p := range plays {
		if p.Step == w.Step {
			asked.WriteString(Text(p.Parts) + "\n")
		}
	}
	for _, o := range options {
		if !namesKey(asked.String(), o.Keys) {
			return false
		}
	}
	return true
}

// namesKey tells whether a key stands in a text by itself.
func namesKey(text, key string) bool {
	if key == "" {
		return false
	}
	for from := 0; ; {
		i := strings.Index(text[from:], key)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(key)
		if (i == 0 || !keyLike(text[i-1])) && (end == len(text) || !keyLike(text[end])) {
			return true
		}
		from = i + 1
	}
}

func keyLike(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '*' || c == '#'
}

// numbered adds a line for each option: "1 Balance". A label that names its key itself
// stands as it is.
func numbered(text string, options []Option) string {
	for _, o := range options {
		line := o.Label
		if o.Keys != "" && !namesKey(line, o.Keys) {
			line = o.Keys + " " + line
		}
		text = joined(text, "\n", line)
	}
	return text
}

func joined(a, between, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + between + b
}

// Offered is what a queue's offer of callback, chat or sms is called on a button.
func Offered(lang, what string) string {
	chinese := strings.HasPrefix(lang, "zh")
	switch {
	case what == "callback" && chinese:
		return "给我回电"
	case what == "callback":
		return "Call me back"
	case what == "chat" && chinese:
		return "转到在线聊天"
	case what == "chat":
		return "Go on in chat"
	case what == "sms" && chinese:
		return "转到短信"
	case what == "sms":
		return "Go on by text message"
	}
	return what
}
