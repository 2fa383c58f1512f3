package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// fetch is the verb http: it works out the request and waits for the answer.
func (r *run) fetch(v *flow.HTTP) error {
	request, err := r.request(v)
	if err != nil {
		return err
	}
	request.Serial = r.pend(flow.Wait{Kind: flow.WaitHTTP})
	r.emit(request)
	return nil
}

func (r *run) request(v *flow.HTTP) (flow.Fetch, error) {
	q := flow.Fetch{Step: r.f.Step, Method: v.Method, Timeout: v.Timeout, Retries: v.Retry}
	if v.Idempotent || v.Retry > 0 {
		q.Key = r.visit()
	}
	if q.Timeout <= 0 {
		q.Timeout = httpWait
	}
	if v.URL.Secret() {
		return q, faultf("the address would tell a secret")
	}
	vars, err := r.templateNames(v.URL, nil)
	if err != nil {
		return q, err
	}
	if q.URL, err = v.URL.URL(vars); err != nil {
		return q, faultf("working out the address: %v", err)
	}
	if u, err := url.Parse(q.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return q, faultf("the address is no http or https address")
	}
	for _, h := range v.Headers {
		if vars, err = r.templateNames(h.Value, nil); err != nil {
			return q, err
		}
		value, err := h.Value.Text(vars)
		if err != nil {
			return q, faultf("working out the header %s: %v", h.Name, err)
		}
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return q, faultf("the header %s would hold a control character", h.Name)
		}
		q.Headers = append(q.Headers, [2]string{h.Name, value})
	}
	if v.JSON != nil {
		var body bytes.Buffer
		if err := r.writeJSON(&body, v.JSON, 0); err != nil {
			return q, err
		}
		q.Body = body.Bytes()
	}
	return q, nil
}

// visit names the current visit to the step, by the flows under way with their steps:
// "bank.book#2/booking.send#1".
func (r *run) visit() string {
	var b strings.Builder
	for i, f := range r.s.Frames {
		if i > 0 {
			b.WriteByte('/')
		}
		fmt.Fprintf(&b, "%s.%s#%d", f.Flow, f.Step, f.Visits[f.Step])
	}
	return b.String()
}

// writeJSON writes a body with its members in the order of the file.
func (r *run) writeJSON(out *bytes.Buffer, v *flow.Value, level int) error {
	if level > maxLevels {
		return faultf("the body is nested more than %d deep", maxLevels)
	}
	switch {
	case v.Object:
		out.WriteByte('{')
		for i, f := range v.Fields {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := marshal(out, f.Name); err != nil {
				return err
			}
			out.WriteByte(':')
			if err := r.writeJSON(out, f.Value, level+1); err != nil {
				return err
			}
		}
		out.WriteByte('}')
		return nil
	case v.Text != nil:
		vars, err := r.templateNames(v.Text, nil)
		if err != nil {
			return err
		}
		value, err := v.Text.Value(vars)
		if err != nil {
			return faultf("working out the body: %v", err)
		}
		return marshal(out, value)
	case v.List != nil:
		out.WriteByte('[')
		for i, e := range v.List {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := r.writeJSON(out, e, level+1); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	}
	return marshal(out, v.Literal)
}

func marshal(out *bytes.Buffer, v any) error {
	if d, ok := v.(time.Duration); ok {
		v = int(d / time.Second)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return faultf("the body cannot be written as JSON")
	}
	out.Write(b)
	return nil
}

// onFetched takes the answer: an outcome, and the body into its variable.
func (r *run) onFetched(a flow.Fetched) {
	v, ok := r.step.Verb.(*flow.HTTP)
	if !ok {
		return
	}
	outcome, why := judge(a)
	asked := r.publicURL(v) // before the answer changes what the address is made of
	if outcome == "ok" && v.Into != "" {
		if err := r.keep(v.Into, a.Body); err != nil {
			outcome, why = "error", err.Error()
		}
	}
	r.trace(tandem.EventHTTP, tandem.Fetched{
		Step: r.f.Step, Method: v.Method, URL: asked, Status: a.Status, Outcome: outcome, MS: a.MS, Tries: a.Tries,
	})
	if why != "" {
		r.trace(tandem.EventFlowError, tandem.FlowFault{Step: r.f.Step, Message: why})
	}
	r.outcome(outcome, "error")
}

// judge makes an outcome of an answer; why is set where the answer alone does not tell.
func judge(a flow.Fetched) (outcome, why string) {
	switch {
	case a.Failed == "timeout":
		return "timeout", ""
	case a.Failed != "":
		return "error", a.Failed
	case a.Status >= 200 && a.Status < 300:
		return "ok", ""
	case a.Status == 404:
		return "not_found", ""
	}
	return "error", ""
}

// keep converts an answer's body to the type of the variable it goes to.
func (r *run) keep(into string, body []byte) error {
	if len(body) > maxBody {
		return faultf("the answer is longer than %d bytes", maxBody)
	}
	value, err := expression.FromJSON(body)
	if err != nil {
		return faultf("the answer is not JSON")
	}
	return r.assign(into, value)
}

// publicURL is the address without its query and anything a trace may not hold.
func (r *run) publicURL(v *flow.HTTP) string {
	vars, err := r.templateNames(v.URL, nil)
	if err != nil || v.URL.Secret() {
		return ""
	}
	s, err := v.URL.URL(vars)
	if err != nil {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}
