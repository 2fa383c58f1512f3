package calendar

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const dateLayout = "2006-01-02"

// Read makes a calendar of a parsed file; mistakes are reported there. now is the time
// by which a holiday has expired. The name is "" if it could not be read.
func Read(f *source.File, now time.Time) *flow.Calendar {
	f.Fields(f.Root, "a calendar file", "calendar", "time_zone", "weekly", "holidays", "overrides")
	c := &flow.Calendar{Pos: f.Pos(f.Root), Zone: time.UTC, Holidays: map[string]*flow.Prompt{}, Overrides: map[string][]flow.Span{}}
	for _, k := range []string{"calendar", "time_zone", "weekly"} {
		if f.Root.Get(k) == nil {
			f.Fail(&source.Node{At: f.Root.At}, "missing-key", fmt.Sprintf("add a line `%s: …`", k), "the calendar has no `%s`", k)
		}
	}
	if n := f.Root.Get("calendar"); n != nil {
		if name, ok := f.Name(n, "the calendar's name"); ok {
			c.Name = name
		}
	}
	if n := f.Root.Get("time_zone"); n != nil {
		if name, ok := f.Text(n, "time_zone"); ok {
			zone, err := time.LoadLocation(name)
			if err != nil || name == "" || name == "Local" {
				f.Fail(n, "time-zone", "write a name such as Asia/Shanghai or Europe/London", "there is no time zone `%s`", name)
			} else {
				c.Zone = zone
			}
		}
	}
	weekly(f, f.Root.Get("weekly"), c)
	holidays(f, f.Root.Get("holidays"), c, now)
	if n := f.Root.Get("overrides"); n != nil && f.AnyFields(n, "overrides", "write { 2026-12-31: \"09:00-15:00\" }") {
		for _, e := range n.Entries {
			if date, ok := date(f, e.Key); ok {
				c.Overrides[date] = spans(f, e.Val)
			}
		}
	}
	return c
}

func weekly(f *source.File, n *source.Node, c *flow.Calendar) {
	if n == nil || !f.AnyFields(n, "weekly", "write { mon-fri: \"09:00-18:00\" }") {
		return
	}
	taken := map[int]bool{}
	for _, e := range n.Entries {
		days, ok := dayRange(e.Key.Text)
		if !ok {
			f.Fail(e.Key, "weekday", "write a day such as mon, or days such as mon-fri", "`%s` is no day of the week", e.Key.Text)
			continue
		}
		spans := spans(f, e.Val)
		for _, d := range days {
			if taken[d] {
				f.Fail(e.Key, "duplicate-name", "name each day once, with its hours separated by commas", "%s is given twice", weekdays[d])
				break
			}
			taken[d] = true
			c.Weekly[d] = spans
		}
	}
}

// dayRange reads mon or fri-mon.
func dayRange(s string) ([]int, bool) {
	from, until, ranged := strings.Cut(s, "-")
	a := slices.Index(weekdays, from)
	b := a
	if ranged {
		b = slices.Index(weekdays, until)
	}
	if a < 0 || b < 0 {
		return nil, false
	}
	days := []int{a}
	for a != b {
		a = (a + 1) % 7
		days = append(days, a)
	}
	return days, true
}

var spanForm = regexp.MustCompile(`^([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})$`)

// spans reads "09:00-12:00, 13:00-16:00" or closed.
func spans(f *source.File, n *source.Node) []flow.Span {
	s, ok := f.Text(n, "opening hours")
	if !ok || s == "closed" {
		return nil
	}
	var out []flow.Span
	for _, part := range strings.Split(s, ",") {
		m := spanForm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			f.Fail(n, "hours", "write \"09:00-18:00\", several separated by commas, or closed", "`%s` is no opening hours", strings.TrimSpace(part))
			return nil
		}
		var v [4]int
		for i := range v {
			v[i], _ = strconv.Atoi(m[i+1])
		}
		span := flow.Span{From: v[0]*60 + v[1], Until: v[2]*60 + v[3]}
		switch {
		case v[1] > 59 || v[3] > 59 || span.Until > 24*60:
			f.Fail(n, "hours", "the last minute of a day is 24:00", "`%s` is no time of day", strings.TrimSpace(part))
			return nil
		case span.From >= span.Until:
			f.Fail(n, "hours", "for hours past midnight write \"22:00-24:00\" and the rest on the next day", "`%s` ends before it begins", strings.TrimSpace(part))
			return nil
		case len(out) > 0 && span.From < out[len(out)-1].Until:
			f.Fail(n, "hours", "write them in order, none inside another", "the opening hours overlap")
			return nil
		}
		out = append(out, span)
	}
	return out
}

func holidays(f *source.File, n *source.Node, c *flow.Calendar, now time.Time) {
	today := now.In(c.Zone).Format(dateLayout)
	for _, item := range f.List(n, "holidays") {
		if !f.Fields(item, "a holiday", "date", "name") {
			continue
		}
		d := item.Get("date")
		if d == nil {
			f.Fail(item, "missing-key", "add `date: 2027-01-01`", "the holiday has no `date`")
			continue
		}
		date, ok := date(f, d)
		if !ok {
			continue
		}
		if _, twice := c.Holidays[date]; twice {
			f.Fail(d, "duplicate-name", "remove one", "%s is given twice", date)
			continue
		}
		if date < today {
			f.Warn(d, "expired-holiday", "remove it, or give its next date", "the holiday on %s is over", date)
		}
		c.Holidays[date] = holidayName(f, item.Get("name"), date)
	}
}

// holidayName reads what the day is called, by language; calendars have no list of
// languages of their own, so any tag will do.
func holidayName(f *source.File, n *source.Node, date string) *flow.Prompt {
	if n == nil {
		return nil
	}
	p := &flow.Prompt{Pos: f.Pos(n), ByLang: map[string]*flow.Words{}}
	if !f.AnyFields(n, "name", "write { en: New Year }") {
		return nil
	}
	for _, e := range n.Entries {
		if !source.IsLanguage(e.Key.Text) {
			f.Fail(e.Key, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", e.Key.Text)
			continue
		}
		src, ok := f.Text(e.Val, "name")
		if !ok {
			continue
		}
		if strings.Contains(src, "${") {
			f.Fail(e.Val, "expression", "write plain text", "a holiday's name is plain text")
			continue
		}
		p.ByLang[e.Key.Text] = &flow.Words{Pos: f.Pos(e.Val), Text: literalTemplate(src)}
	}
	return p
}

// date reads YYYY-MM-DD.
func date(f *source.File, n *source.Node) (string, bool) {
	if n.Kind == source.Text {
		if _, err := time.Parse(dateLayout, n.Text); err == nil {
			return n.Text, true
		}
	}
	f.Fail(n, "date", "write it as 2027-01-01", "this is no date")
	return "", false
}

// literalTemplate makes a template of text without ${ }.
func literalTemplate(s string) *expression.Template {
	t, err := expression.NewEnv().Template(s)
	if err != nil {
		return nil
	}
	return t
}
