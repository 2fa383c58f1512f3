package read

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/ivr/flow"
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const dateLayout = "2006-01-02"

func (r *reading) readCalendar(f *file) {
	f.fields(f.root, "a calendar file", "calendar", "time_zone", "weekly", "holidays", "overrides")
	c := &flow.Calendar{Pos: f.pos(f.root), Zone: time.UTC, Holidays: map[string]*flow.Prompt{}, Overrides: map[string][]flow.Span{}}
	for _, k := range []string{"calendar", "time_zone", "weekly"} {
		if f.root.get(k) == nil {
			f.fail(&node{at: f.root.at}, "missing-key", fmt.Sprintf("add a line `%s: …`", k), "the calendar has no `%s`", k)
		}
	}
	if n := f.root.get("calendar"); n != nil {
		if name, ok := f.name(n, "the calendar's name"); ok {
			if other := r.calendars[name]; other != nil {
				f.fail(n, "duplicate-name", "give one of the two another name", "calendar `%s` is also in %s", name, other.file.path)
			} else {
				c.Name = name
				r.calendars[name] = &named[flow.Calendar]{c, f}
			}
		}
	}
	if n := f.root.get("time_zone"); n != nil {
		if name, ok := f.text(n, "time_zone"); ok {
			zone, err := time.LoadLocation(name)
			if err != nil || name == "" || name == "Local" {
				f.fail(n, "time-zone", "write a name such as Asia/Shanghai or Europe/London", "there is no time zone `%s`", name)
			} else {
				c.Zone = zone
			}
		}
	}
	f.weekly(f.root.get("weekly"), c)
	f.holidays(f.root.get("holidays"), c)
	if n := f.root.get("overrides"); n != nil && f.fieldsAny(n, "overrides", "write { 2026-12-31: \"09:00-15:00\" }") {
		for _, e := range n.entries {
			if date, ok := f.date(e.key); ok {
				c.Overrides[date] = f.spans(e.val)
			}
		}
	}
}

func (f *file) weekly(n *node, c *flow.Calendar) {
	if n == nil || !f.fieldsAny(n, "weekly", "write { mon-fri: \"09:00-18:00\" }") {
		return
	}
	taken := map[int]bool{}
	for _, e := range n.entries {
		days, ok := dayRange(e.key.text)
		if !ok {
			f.fail(e.key, "weekday", "write a day such as mon, or days such as mon-fri", "`%s` is no day of the week", e.key.text)
			continue
		}
		spans := f.spans(e.val)
		for _, d := range days {
			if taken[d] {
				f.fail(e.key, "duplicate-name", "name each day once, with its hours separated by commas", "%s is given twice", weekdays[d])
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
func (f *file) spans(n *node) []flow.Span {
	s, ok := f.text(n, "opening hours")
	if !ok || s == "closed" {
		return nil
	}
	var out []flow.Span
	for _, part := range strings.Split(s, ",") {
		m := spanForm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			f.fail(n, "hours", "write \"09:00-18:00\", several separated by commas, or closed", "`%s` is no opening hours", strings.TrimSpace(part))
			return nil
		}
		var v [4]int
		for i := range v {
			v[i], _ = strconv.Atoi(m[i+1])
		}
		span := flow.Span{From: v[0]*60 + v[1], Until: v[2]*60 + v[3]}
		switch {
		case v[1] > 59 || v[3] > 59 || span.Until > 24*60:
			f.fail(n, "hours", "the last minute of a day is 24:00", "`%s` is no time of day", strings.TrimSpace(part))
			return nil
		case span.From >= span.Until:
			f.fail(n, "hours", "for hours past midnight write \"22:00-24:00\" and the rest on the next day", "`%s` ends before it begins", strings.TrimSpace(part))
			return nil
		case len(out) > 0 && span.From < out[len(out)-1].Until:
			f.fail(n, "hours", "write them in order, none inside another", "the opening hours overlap")
			return nil
		}
		out = append(out, span)
	}
	return out
}

func (f *file) holidays(n *node, c *flow.Calendar) {
	today := f.reading.o.Now.In(c.Zone).Format(dateLayout)
	for _, item := range f.list(n, "holidays") {
		if !f.fields(item, "a holiday", "date", "name") {
			continue
		}
		d := item.get("date")
		if d == nil {
			f.fail(item, "missing-key", "add `date: 2027-01-01`", "the holiday has no `date`")
			continue
		}
		date, ok := f.date(d)
		if !ok {
			continue
		}
		if _, twice := c.Holidays[date]; twice {
			f.fail(d, "duplicate-name", "remove one", "%s is given twice", date)
			continue
		}
		if date < today {
			f.warn(d, "expired-holiday", "remove it, or give its next date", "the holiday on %s is over", date)
		}
		c.Holidays[date] = f.holidayName(item.get("name"), date)
	}
}

// holidayName reads what the day is called, by language; calendars have no list of
// languages of their own, so any tag will do.
func (f *file) holidayName(n *node, date string) *flow.Prompt {
	if n == nil {
		return nil
	}
	p := &flow.Prompt{Pos: f.pos(n), ByLang: map[string]*flow.Words{}}
	if !f.fieldsAny(n, "name", "write { en: New Year }") {
		return nil
	}
	for _, e := range n.entries {
		if !languageTag(e.key.text) {
			f.fail(e.key, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", e.key.text)
			continue
		}
		src, ok := f.text(e.val, "name")
		if !ok {
			continue
		}
		if strings.Contains(src, "${") {
			f.fail(e.val, "expression", "write plain text", "a holiday's name is plain text")
			continue
		}
		p.ByLang[e.key.text] = &flow.Words{Pos: f.pos(e.val), Text: literalTemplate(src)}
	}
	return p
}

// date reads YYYY-MM-DD.
func (f *file) date(n *node) (string, bool) {
	if n.kind == isText {
		if _, err := time.Parse(dateLayout, n.text); err == nil {
			return n.text, true
		}
	}
	f.fail(n, "date", "write it as 2027-01-01", "this is no date")
	return "", false
}
