package sms

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"tandem/store"
)

// Stop is a person's wish for no more texts, or for texts again.
type Stop struct {
	Ours, Theirs string
	On           bool   // no more
	Word         string // which of the known words it was
	At           time.Time
}

// The words that mean it, alone in a text. Chinese carriers teach TD and T.
var (
	stopWords = map[string]bool{
		"STOP": true, "STOPALL": true, "STOP ALL": true, "UNSUBSCRIBE": true, "CANCEL": true, "END": true, "QUIT": true,
		"REVOKE": true, "OPTOUT": true, "OPT OUT": true, "OPT-OUT": true,
		"退订": true, "退訂": true, "TD": true, "T": true,
	}
	startWords = map[string]bool{"START": true, "UNSTOP": true, "恢复": true, "恢復": true, "订阅": true, "訂閱": true}
)

// Templates that confirmations are sent by at a gateway that knows them, and that takes
// templates only.
const (
	TemplateStopped = "texts_stopped"
	TemplateStarted = "texts_started"
)

// plainWord is a text's one word as the lists above have it: without case, full-width
// forms, and the punctuation and blanks around it.
func plainWord(text string) string {
	if len(text) > 64 { // no word is; the rest need not be looked at
		return ""
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // full-width forms of ASCII
			return r - '！' + '!'
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Mn, r): // no width
			return -1
		}
		return r
	}, text)
	text = strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) })
	return strings.ToUpper(strings.Join(strings.Fields(text), " "))
}

// wish reads a text as a STOP or START; word is "" if it is neither.
func wish(text string) (word string, on bool) {
	w := plainWord(text)
	switch {
	case stopWords[w]:
		return w, true
	case startWords[w]:
		return w, false
	}
	return "", false
}

// guessLang is the language of the answer to a word from a number.
func guessLang(word, theirs string) string {
	if word == "T" || word == "TD" || strings.HasPrefix(theirs, "+86") || strings.IndexFunc(word, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0 {
		return "zh-CN"
	}
	return "en"
}

// confirmation is the answer to a STOP or START.
func (d *Desk) confirmation(s Stop, key string) Message {
	m := Message{Key: key, From: s.Ours, To: s.Theirs, Lang: guessLang(s.Word, s.Theirs), Template: TemplateStarted}
	if s.On {
		m.Template = TemplateStopped
	}
	name := d.o.Name
	if m.Lang == "en" {
		if m.Text = "You will get texts from this number again. Reply STOP to end them."; s.On {
			m.Text = "You will get no more texts from this number. Reply START to get them again."
		}
		if name != "" {
			m.Text = name + ": " + m.Text
		}
		return m
	}
	if m.Text = "本号码将继续给您发短信。回复“退订”可停止接收。"; s.On {
		m.Text = "您已退订，本号码不再给您发短信。回复“恢复”可重新接收。"
	}
	if name != "" {
		m.Text = "【" + name + "】" + m.Text
	}
	return m
}

// stopped reports whether a person wants no texts from a number of ours.
func (d *Desk) stopped(tx store.Tx, ours, theirs string) (bool, error) {
	return tx.One("SELECT 1 FROM sms_stop WHERE ours = ? AND number = ?", func(store.Row) {}, ours, d.hidden("number", theirs))
}

// setStop puts a person on the list or takes them off.
func (d *Desk) setStop(tx store.Tx, s Stop) (err error) {
	if s.On {
		_, err = tx.Exec("INSERT OR IGNORE INTO sms_stop (ours, number, at) VALUES (?, ?, ?)", s.Ours, d.hidden("number", s.Theirs), s.At.UnixNano())
	} else {
		_, err = tx.Exec("DELETE FROM sms_stop WHERE ours = ? AND number = ?", s.Ours, d.hidden("number", s.Theirs))
	}
	return err
}

// heed carries out a text that is a STOP, or a START from somebody who stopped. handled
// is false for any other text: flows may use START as they like with everybody else.
//
// The first STOP is answered with one text, and a START that changes something too. Both
// are subject to the policy and the caps, so that nobody can make us text a stranger, or
// a premium number, by sending words in its name. The wish itself holds whatever becomes
// of the answer and of the event.
func (d *Desk) heed(ctx context.Context, in *Inbound) (handled bool, err error) {
	word, on := wish(in.Text)
	if word == "" {
		return false, nil
	}
	s := Stop{Ours: in.To, Theirs: in.From, On: on, Word: word, At: d.o.Now().UTC()}
	var was bool
	err = d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		was, err = d.stopped(tx, s.Ours, s.Theirs)
		return err
	})
	if err != nil || (!on && !was) {
		return false, err
	}
	if was == on { // a second STOP: nothing changes and nobody is told
		return true, d.o.Database.Update(ctx, func(tx store.Tx) error { return d.see(tx, in) })
	}
	m := d.confirmation(s, in.answerKey())
	answer := &m
	var change store.Change
	if d.o.Stopped != nil {
		change, err = d.o.Stopped(ctx, s)
	}
	for range 3 {
		if err == nil {
			err = d.o.Database.Commit(ctx, d.stopChange(change, s, in, answer))
		}
		refused := (*Refused)(nil)
		switch {
		case err == nil || errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil:
			return true, err
		case errors.As(err, &refused):
			answer = nil
		default: // such as a person who was erased: their wish holds all the same
			d.o.Log.Error("a STOP or START is not in the journal", "error", err)
			change = store.Change{}
		}
		err = nil
	}
	return true, errors.New("sms: a STOP or START cannot be kept")
}

// stopChange adds to a change that a person stopped or started, that their text was
// seen, and the answer, if there is one.
func (d *Desk) stopChange(c store.Change, s Stop, in *Inbound, answer *Message) *store.Change {
	before := c.With
	if answer != nil {
		c.Outbox = append(slices.Clone(c.Outbox), d.letter(*answer, true))
	}
	c.With = func(tx store.Tx) error {
		if before != nil {
			if err := before(tx); err != nil {
				return err
			}
		}
		if err := d.see(tx, in); err != nil {
			return err
		}
		if err := d.setStop(tx, s); err != nil || answer == nil {
			return err
		}
		return d.reserve(tx, answer, answer.Parts(), true)
	}
	return &c
}
