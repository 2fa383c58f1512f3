package program

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/internal/hosts"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// Bounds and defaults of http.
const (
	defaultHTTPTimeout = 5 * time.Second
	maxHTTPTimeout     = time.Minute
	maxHTTPRetries     = 5
)

var methods = []string{"get", "post", "put", "patch", "delete"}

func (ff *File) readHTTP(s *step, n *source.Node) flow.Verb {
	h := &flow.HTTP{Timeout: defaultHTTPTimeout}
	if !ff.Fields(n, "http", append(slices.Clone(methods), "headers", "json", "into", "timeout", "retry", "idempotent")...) {
		return h
	}
	for _, e := range n.Entries {
		if !slices.Contains(methods, e.Key.Text) {
			continue
		}
		if h.Method != "" {
			ff.Fail(e.Key, "wrong-type", "remove one", "an http step has one method; this has %s and %s", strings.ToLower(h.Method), e.Key.Text)
			continue
		}
		h.Method = strings.ToUpper(e.Key.Text)
		h.URL = ff.url(e.Val)
	}
	if h.Method == "" {
		ff.Fail(n, "missing-key", "write { get: \"https://…\" }", "http has no get, post, put, patch or delete")
	}
	ff.headers(n.Get("headers"), h)
	if j := n.Get("json"); j != nil {
		h.JSON = ff.jsonValue(j)
		if h.Method == "GET" {
			ff.Fail(j, "wrong-type", "use post, or put the values into the URL", "a get has no body")
		}
	}
	if into := n.Get("into"); into != nil {
		if v := ff.variable(into, "into"); v != nil {
			h.Into = v.Name
		}
	}
	if d, ok := ff.Duration(n.Get("timeout"), "timeout", 100*time.Millisecond, maxHTTPTimeout); ok {
		h.Timeout = d
	}
	if i := n.Get("idempotent"); i != nil {
		h.Idempotent = ff.YesNo(i, "idempotent")
	}
	if r, ok := ff.Count(n.Get("retry"), "retry", 0, maxHTTPRetries); ok {
		h.Retry = r
		if r > 0 && !h.Idempotent && (h.Method == "POST" || h.Method == "PATCH") {
			ff.Fail(n.Get("retry"), "unsafe-retry", "add `idempotent: true` if the server counts a repeated request once, or remove retry",
				"a repeated %s may be carried out twice", strings.ToLower(h.Method))
		}
	}
	return h
}

func (ff *File) url(n *source.Node) *expression.Template {
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
func (ff *File) checkHost(n *source.Node) {
	settings := ff.known.Settings
	text := settingForm.ReplaceAllStringFunc(n.Text, func(m string) string {
		if s, ok := settings[settingForm.FindStringSubmatch(m)[1]].(string); ok {
			return s
		}
		return m
	})
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || strings.Contains(scheme, "${") {
		if !strings.HasPrefix(text, "${") {
			ff.Fail(n, "url", "write https://HOST/PATH", "the URL does not begin with https:// or http://")
		}
		return
	}
	if scheme != "https" && scheme != "http" {
		ff.Fail(n, "url", "write https://HOST/PATH", "the URL does not begin with https:// or http://")
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
		ff.Fail(n, "url", "write https://HOST/PATH", "the URL has no host")
		return
	}
	if u.User != nil {
		ff.Fail(n, "url", "send them in a header, from a secret", "the URL holds a user name or password")
		return
	}
	allow := ff.known.HTTPAllow
	if allow != nil && !hosts.Allowed(allow, u) {
		ff.Fail(n, "http-host", fmt.Sprintf("add %s to flows.http_allow in the configuration", u.Host), "http steps may not reach %s: the configuration does not allow it", u.Host)
	}
}

var headerForm = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func (ff *File) headers(n *source.Node, h *flow.HTTP) {
	if n == nil || !ff.AnyFields(n, "headers", "write { Name: \"value\" }") {
		return
	}
	for _, e := range n.Entries {
		if !headerForm.MatchString(e.Key.Text) {
			ff.Fail(e.Key, "header", "write a name such as X-Token", "`%s` cannot be a header's name", e.Key.Text)
			continue
		}
		if t := ff.template(e.Val, "a header", ff.env); t != nil {
			h.Headers = append(h.Headers, flow.Header{Name: e.Key.Text, Value: t})
		}
	}
}

// jsonValue reads a body. A secret may be in it.
func (ff *File) jsonValue(n *source.Node) *flow.Value {
	switch n.Kind {
	case source.Null:
		return &flow.Value{}
	case source.List:
		v := &flow.Value{List: []*flow.Value{}}
		for _, item := range n.Items {
			v.List = append(v.List, ff.jsonValue(item))
		}
		return v
	case source.Map:
		v := &flow.Value{Object: true}
		for _, e := range n.Entries {
			v.Fields = append(v.Fields, flow.Field{Name: e.Key.Text, Value: ff.jsonValue(e.Val)})
		}
		return v
	}
	if n.Style == 0 {
		switch n.Text {
		case "true", "false":
			return &flow.Value{Literal: n.Text == "true"}
		}
		if jsonNumber.MatchString(n.Text) {
			if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
				return &flow.Value{Literal: i}
			}
			if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
				return &flow.Value{Literal: f}
			}
		}
	}
	return &flow.Value{Text: ff.template(n, "a value of the body", ff.env)}
}

// jsonNumber is what JSON and a person both take for a number: 01 is none.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
