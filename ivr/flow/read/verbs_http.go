package read

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// Bounds and defaults of http.
const (
	defaultHTTPTimeout = 5 * time.Second
	maxHTTPTimeout     = time.Minute
	maxHTTPRetries     = 5
)

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
