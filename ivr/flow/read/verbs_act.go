package read

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// Bounds and defaults of the acting verbs.
const (
	defaultHTTPTimeout = 5 * time.Second
	maxHTTPTimeout     = time.Minute
	maxHTTPRetries     = 5
	defaultRing        = 30 * time.Second
	maxRing            = 3 * time.Minute
	defaultVoicemail   = 2 * time.Minute
	maxVoicemail       = 10 * time.Minute
)

func boolType() *expression.Type { return &expression.Type{Kind: expression.Bool} }

func (ff *flowFile) readSet(s *step, n *node) flow.Verb {
	set := &flow.Set{}
	if !ff.fieldsAny(n, "set", "write { name: expression }") {
		return set
	}
	if len(n.entries) == 0 {
		ff.fail(n, "empty-value", "write { name: expression }", "set sets nothing")
	}
	for _, e := range n.entries {
		v := ff.variable(e.key, "set")
		if v == nil {
			continue
		}
		p := ff.compile(e.val, "`"+v.Name+"`", ff.env, v.Type)
		if p == nil {
			continue
		}
		set.Assign = append(set.Assign, flow.Assignment{Pos: ff.pos(e.key), Name: v.Name, Expr: p})
		ff.flowsInto(e.val, p, v, fmt.Sprintf("`%s`", v.Name))
	}
	return set
}

func (ff *flowFile) readBranch(s *step, n *node) flow.Verb {
	b := &flow.Branch{}
	items := ff.list(n, "branch")
	if n.kind == isList && len(items) == 0 {
		ff.fail(n, "empty-value", "write [ { if: EXPR, go: STEP } ]", "branch has no arms")
	}
	for i, item := range items {
		if !ff.fields(item, "an arm of branch", "if", "go") {
			continue
		}
		arm := flow.Arm{Pos: ff.pos(item), Go: ff.needTarget(item, "an arm of branch")}
		s.places["arm "+strconv.Itoa(i+1)] = item.get("go")
		if c := item.get("if"); c == nil {
			ff.fail(item, "missing-key", "add `if: EXPRESSION`; what is left goes to `else` in `next`", "an arm of branch has no `if`")
		} else {
			arm.If = ff.condition(c)
		}
		b.Arms = append(b.Arms, arm)
	}
	return b
}

// condition compiles an if. What it tells is no secret, unless it is one itself.
func (ff *flowFile) condition(n *node) *expression.Program {
	p := ff.compile(n, "if", ff.env, boolType())
	if p != nil && p.Secret() {
		ff.leak(n, p.Uses(), "decide", "an `if` without a comparison")
	}
	return p
}

func (ff *flowFile) readHours(s *step, n *node) flow.Verb {
	h := &flow.Hours{}
	if !ff.fields(n, "hours", "calendar") {
		return h
	}
	c := n.get("calendar")
	if c == nil {
		ff.fail(n, "missing-key", "write { calendar: NAME }", "hours has no `calendar`")
		return h
	}
	if name, ok := ff.text(c, "calendar"); ok {
		ff.calendar(c, name)
		h.Calendar = name
	}
	return h
}

// calendar looks a calendar up and notes that this file uses it.
func (ff *flowFile) calendar(n *node, name string) {
	c := ff.reading.calendars[name]
	if c == nil {
		names := slices.Collect(maps.Keys(ff.reading.calendars))
		fix := didYouMean(name, names)
		if len(names) == 0 {
			fix = fmt.Sprintf("make a file %s.calendar.yaml beside the flow", asName(name))
		}
		ff.fail(n, "unknown-calendar", fix, "there is no calendar `%s`", name)
		return
	}
	ff.uses[c.file.base] = true
}

var methods = []string{"get", "post", "put", "patch", "delete"}

func (ff *flowFile) readHTTP(s *step, n *node) flow.Verb {
	h := &flow.HTTP{Timeout: defaultHTTPTimeout}
	if !ff.fields(n, "http", append(slices.Clone(methods), "headers", "json", "into", "timeout", "retry", "idempotent")...) {
		return h
	}
	for _, e := range n.entries {
		if !slices.Contains(methods, e.key.text) {
			continue
		}
		if h.Method != "" {
			ff.fail(e.key, "wrong-type", "remove one", "an http step has one method; this has %s and %s", strings.ToLower(h.Method), e.key.text)
			continue
		}
		h.Method = strings.ToUpper(e.key.text)
		h.URL = ff.url(e.val)
	}
	if h.Method == "" {
		ff.fail(n, "missing-key", "write { get: \"https://…\" }", "http has no get, post, put, patch or delete")
	}
	ff.headers(n.get("headers"), h)
	if j := n.get("json"); j != nil {
		h.JSON = ff.jsonValue(j)
		if h.Method == "GET" {
			ff.fail(j, "wrong-type", "use post, or put the values into the URL", "a get has no body")
		}
	}
	if into := n.get("into"); into != nil {
		if v := ff.variable(into, "into"); v != nil {
			h.Into = v.Name
		}
	}
	if d, ok := ff.duration(n.get("timeout"), "timeout", 100*time.Millisecond, maxHTTPTimeout); ok {
		h.Timeout = d
	}
	if i := n.get("idempotent"); i != nil {
		h.Idempotent = ff.yesNo(i, "idempotent")
	}
	if r, ok := ff.count(n.get("retry"), "retry", 0, maxHTTPRetries); ok {
		h.Retry = r
		if r > 0 && !h.Idempotent && (h.Method == "POST" || h.Method == "PATCH") {
			ff.fail(n.get("retry"), "unsafe-retry", "add `idempotent: true` if the server counts a repeated request once, or remove retry",
				"a repeated %s may be carried out twice", strings.ToLower(h.Method))
		}
	}
	return h
}

func (ff *flowFile) url(n *node) *expression.Template {
	t := ff.template(n, "the URL", ff.env)
	if t == nil {
		return nil
	}
	if t.Secret() {
		ff.leak(n, t.Uses(), "put", "a URL")
	}
	ff.checkHost(n)
	return t
}

var settingForm = regexp.MustCompile(`\$\{\s*settings\.([A-Za-z0-9_]+)\s*\}`)

// checkHost looks the URL's host up in the allow list if it can be known now.
func (ff *flowFile) checkHost(n *node) {
	settings := ff.reading.o.Settings
	text := settingForm.ReplaceAllStringFunc(n.text, func(m string) string {
		if s, ok := settings[settingForm.FindStringSubmatch(m)[1]].(string); ok {
			return s
		}
		return m
	})
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || strings.Contains(scheme, "${") {
		if !strings.HasPrefix(text, "${") {
			ff.fail(n, "url", "write https://HOST/PATH", "the URL does not begin with https:// or http://")
		}
		return
	}
	if scheme != "https" && scheme != "http" {
		ff.fail(n, "url", "write https://HOST/PATH", "the URL does not begin with https:// or http://")
		return
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if strings.Contains(authority, "${") {
		return // the running program checks it
	}
	u, err := url.Parse(scheme + "://" + authority)
	if err != nil || u.Hostname() == "" {
		ff.fail(n, "url", "write https://HOST/PATH", "the URL has no host")
		return
	}
	if u.User != nil {
		ff.fail(n, "url", "send them in a header, from a secret", "the URL holds a user name or password")
		return
	}
	allow := ff.reading.o.HTTPAllow
	if allow != nil && !hostAllowed(u, allow) {
		ff.fail(n, "http-host", fmt.Sprintf("add %s to flows.http_allow in the configuration", u.Host), "http steps may not reach %s: the configuration does not allow it", u.Host)
	}
}

// hostAllowed compares with entries host, host:port and *.domain.
func hostAllowed(u *url.URL, allow []string) bool {
	host := strings.ToLower(u.Hostname())
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	for _, a := range allow {
		a = strings.ToLower(a)
		name, wantPort, err := net.SplitHostPort(a)
		if err != nil {
			name, wantPort = strings.Trim(a, "[]"), ""
		}
		if wantPort != "" && wantPort != port {
			continue
		}
		if name == host || strings.HasPrefix(name, "*.") && strings.HasSuffix(host, name[1:]) {
			return true
		}
	}
	return false
}

var headerForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func (ff *flowFile) headers(n *node, h *flow.HTTP) {
	if n == nil || !ff.fieldsAny(n, "headers", "write { Name: \"value\" }") {
		return
	}
	for _, e := range n.entries {
		if !headerForm.MatchString(e.key.text) {
			ff.fail(e.key, "header", "write a name such as X-Token", "`%s` cannot be a header's name", e.key.text)
			continue
		}
		if t := ff.template(e.val, "a header", ff.env); t != nil {
			h.Headers = append(h.Headers, flow.Header{Name: e.key.text, Value: t})
		}
	}
}

// jsonValue reads a body. A secret may be in it.
func (ff *flowFile) jsonValue(n *node) *flow.Value {
	switch n.kind {
	case isNull:
		return &flow.Value{}
	case isList:
		v := &flow.Value{List: []*flow.Value{}}
		for _, item := range n.items {
			v.List = append(v.List, ff.jsonValue(item))
		}
		return v
	case isMap:
		v := &flow.Value{Object: true}
		for _, e := range n.entries {
			v.Fields = append(v.Fields, flow.Field{Name: e.key.text, Value: ff.jsonValue(e.val)})
		}
		return v
	}
	if n.style == 0 {
		switch n.text {
		case "true", "false":
			return &flow.Value{Literal: n.text == "true"}
		}
		if jsonNumber.MatchString(n.text) {
			if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
				return &flow.Value{Literal: i}
			}
			if f, err := strconv.ParseFloat(n.text, 64); err == nil {
				return &flow.Value{Literal: f}
			}
		}
	}
	return &flow.Value{Text: ff.template(n, "a value of the body", ff.env)}
}

// jsonNumber is what JSON and a person both take for a number: 01 is none.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

func (ff *flowFile) readTransfer(s *step, n *node) flow.Verb {
	t := &flow.Transfer{Mode: "blind", Ring: defaultRing}
	if !ff.fields(n, "transfer", "to", "mode", "ring") {
		return t
	}
	if to := n.get("to"); to == nil {
		ff.fail(n, "missing-key", "add `to: \"sip:…\"`", "transfer has no `to`")
	} else {
		t.To = ff.transferTo(to)
	}
	if w, ok := ff.word(n.get("mode"), "mode", "blind", "attended"); ok {
		t.Mode = w
	}
	if d, ok := ff.duration(n.get("ring"), "ring", time.Second, maxRing); ok {
		t.Ring = d
	}
	return t
}

func (ff *flowFile) transferTo(n *node) *expression.Template {
	t := ff.template(n, "to", ff.env)
	if t == nil {
		return nil
	}
	if t.Secret() {
		ff.leak(n, t.Uses(), "put", "an address")
	}
	scheme, _, ok := strings.Cut(n.text, ":")
	switch {
	case strings.HasPrefix(n.text, "${"):
	case !ok || !slices.Contains([]string{"sip", "tel", "agent", "queue"}, scheme):
		ff.fail(n, "transfer-to", "write \"sip:USER@HOST\" or \"tel:+NUMBER\"", "this is no address to transfer to")
	case scheme == "agent" || scheme == "queue":
		ff.fail(n, "unsupported-verb", "transfer to sip: or tel:", "step `%s` transfers to `%s:`, which this version cannot serve yet", ff.current.Name, scheme)
	}
	return t
}

func (ff *flowFile) readVoicemail(s *step, n *node) flow.Verb {
	v := &flow.Voicemail{Max: defaultVoicemail}
	if !ff.fields(n, "voicemail", "box", "max", "transcribe") {
		return v
	}
	if box := n.get("box"); box == nil {
		ff.fail(n, "missing-key", "add `box: NAME`", "voicemail has no `box`")
	} else if name, ok := ff.text(box, "box"); ok {
		v.Box = name
		if b := ff.reading.boxes[name]; b == nil {
			names := slices.Collect(maps.Keys(ff.reading.boxes))
			fix := didYouMean(name, names)
			if len(names) == 0 {
				fix = fmt.Sprintf("make a file NAME.queues.yaml with `boxes: { %s: { queue: NAME } }`", asName(name))
			}
			ff.fail(box, "unknown-box", fix, "there is no box `%s`", name)
		} else {
			ff.uses[b.file.base] = true
		}
	}
	if d, ok := ff.duration(n.get("max"), "max", time.Second, maxVoicemail); ok {
		v.Max = d
	}
	if t := n.get("transcribe"); t != nil {
		v.Transcribe = ff.yesNo(t, "transcribe")
	}
	return v
}

func (ff *flowFile) readEnd(s *step, n *node) flow.Verb {
	e := &flow.End{}
	if n.kind == isNull && n.text != "null" || !ff.fields(n, "end", "reason", "as") {
		return e
	}
	if r := n.get("reason"); r != nil {
		if ok := r.kind == isText && strings.Contains(r.text, "${"); ok {
			ff.fail(r, "name", "write a plain word such as left", "reason is a plain word, the same for every caller")
		} else {
			e.Reason, _ = ff.name(r, "a reason")
		}
	}
	if as := n.get("as"); as != nil {
		if name, ok := ff.name(as, "as"); ok {
			e.As = name
			switch {
			case n.get("reason") != nil:
				ff.fail(as, "wrong-type", "write one of the two", "`as` returns to the calling flow, `reason` ends the interaction")
			case !slices.Contains(ff.flow.Outcomes, name):
				fix := didYouMean(name, ff.flow.Outcomes)
				if len(ff.flow.Outcomes) == 0 {
					fix = fmt.Sprintf("add `outcomes: [%s]` to the flow", name)
				}
				ff.fail(as, "unknown-outcome", fix, "`%s` is not one of the flow's outcomes", name)
			}
		}
	}
	return e
}

func (ff *flowFile) readSubflow(s *step, n *node) flow.Verb {
	name, into := "", ""
	var with []flow.Assignment
	var outcomes []string
	if !ff.fields(n, "subflow", "name", "with", "into") {
		return flow.NewSubflow(name, with, into, outcomes)
	}
	key := n.get("name")
	if key == nil {
		ff.fail(n, "missing-key", "add `name: FLOW`", "subflow has no `name`")
		return flow.NewSubflow(name, with, into, outcomes)
	}
	s.places["name"] = key
	name, _ = ff.text(key, "name")
	child := ff.child(key, name)
	if child != nil {
		outcomes = child.flow.Outcomes
		with = ff.handIn(n, key, child)
	}
	if i := n.get("into"); i != nil {
		if v := ff.variable(i, "into"); v != nil {
			into = v.Name
			if child != nil {
				ff.handBack(i, v, child)
			}
		}
	}
	return flow.NewSubflow(name, with, into, outcomes)
}

// child finds the flow that is called.
func (ff *flowFile) child(n *node, name string) *flowFile {
	child := ff.reading.flows[name]
	switch {
	case name == "":
		return nil
	case child == nil:
		var names []string
		for other := range ff.reading.flows {
			if nameForm.MatchString(other) {
				names = append(names, other)
			}
		}
		ff.fail(n, "unknown-flow", didYouMean(name, names), "there is no flow `%s`", name)
		return nil
	case len(child.flow.Outcomes) == 0:
		ff.fail(n, "subflow", "add `outcomes: [done]` to it and end it with `end: { as: done }`", "flow `%s` has no `outcomes`, so it cannot be called", name)
		return nil
	}
	ff.uses[child.base] = true
	return child
}

// handIn reads `with` against the child's inputs.
func (ff *flowFile) handIn(n, key *node, child *flowFile) []flow.Assignment {
	var out []flow.Assignment
	given := map[string]bool{}
	if with := n.get("with"); with != nil && ff.fieldsAny(with, "with", "write { input: expression }") {
		var names []string
		for _, in := range child.flow.Inputs {
			names = append(names, in.Name)
		}
		for _, e := range with.entries {
			i := slices.Index(names, e.key.text)
			if i < 0 {
				ff.fail(e.key, "unknown-variable", didYouMean(e.key.text, names), "flow `%s` has no input `%s`", child.flow.Name, e.key.text)
				continue
			}
			in := child.flow.Inputs[i]
			given[in.Name] = true
			if p := ff.compile(e.val, "`"+in.Name+"`", ff.env, in.Type); p != nil {
				out = append(out, flow.Assignment{Pos: ff.pos(e.key), Name: in.Name, Expr: p})
				ff.flowsInto(e.val, p, in, fmt.Sprintf("input `%s` of flow `%s`", in.Name, child.flow.Name))
			}
		}
	}
	for _, in := range child.flow.Inputs {
		if !given[in.Name] && in.Default == nil {
			ff.fail(key, "missing-input", fmt.Sprintf("add `with: { %s: … }`, or give it a default there", in.Name), "flow `%s` needs its input `%s`", child.flow.Name, in.Name)
		}
	}
	return out
}

// handBack checks that the variable can hold what the child returns.
func (ff *flowFile) handBack(n *node, v *flow.Variable, child *flowFile) {
	if len(child.flow.Returns) == 0 {
		ff.fail(n, "returns", "remove into, or add `returns` to that flow", "flow `%s` returns nothing", child.flow.Name)
		return
	}
	if v.Type.Kind != expression.Object {
		ff.fail(n, "wrong-type", fmt.Sprintf("declare `%s` as an object with the fields %s", v.Name, strings.Join(child.flow.Returns, ", ")), "`%s` must be an object: it receives what flow `%s` returns", v.Name, child.flow.Name)
		return
	}
	for _, w := range slices.Concat(child.flow.Inputs, child.flow.Vars) {
		if !slices.Contains(child.flow.Returns, w.Name) {
			continue
		}
		if w.Secrecy > v.Secrecy {
			ff.fail(n, "secret-leak", fmt.Sprintf("declare `%s` with the same `secret`", v.Name), "flow `%s` returns the secret `%s`, but `%s` is not as secret", child.flow.Name, w.Name, v.Name)
		}
		switch t := v.Type.Fields[w.Name]; {
		case t != nil && t.Kind != w.Type.Kind:
			ff.fail(n, "wrong-type", fmt.Sprintf("declare the field `%s` as %s", w.Name, w.Type.Kind), "flow `%s` returns `%s` as %s; here it is %s", child.flow.Name, w.Name, w.Type.Kind, t.Kind)
		}
	}
	for field := range v.Type.Fields {
		if !slices.Contains(child.flow.Returns, field) {
			ff.fail(n, "returns", fmt.Sprintf("add it to `returns` of that flow, or remove it from `%s`", v.Name), "flow `%s` does not return `%s`", child.flow.Name, field)
		}
	}
}

// voiceOnly says which channels a verb cannot serve, and what does instead.
func voiceOnly(v flow.Verb) (is bool, alternative string) {
	switch v := v.(type) {
	case *flow.Voicemail:
		return true, "on chat and sms, collect a text instead, and branch on `channel == 'voice'` before this step"
	case *flow.Transfer:
		if v.To != nil {
			src := ""
			if segments := v.To.Segments(); len(segments) > 0 {
				src = segments[0]
			}
			if strings.HasPrefix(src, "agent:") || strings.HasPrefix(src, "queue:") {
				return false, ""
			}
		}
		return true, "on chat and sms, say which number to call instead, and branch on `channel == 'voice'` before this step"
	}
	return false, ""
}

// speaks reports whether a verb speaks to the customer or listens.
func speaks(v flow.Verb) bool {
	switch v := v.(type) {
	case *flow.Say, *flow.Menu, *flow.Collect, *flow.ConsentStep, *flow.Voicemail, *flow.Transfer:
		return true
	case *flow.Language:
		return slices.Contains(v.By, "menu")
	}
	return false
}

// onChannel reports whether a verb can run on a channel.
func onChannel(v flow.Verb, c tandem.Channel) bool {
	only, _ := voiceOnly(v)
	return !only || c == tandem.Voice
}
