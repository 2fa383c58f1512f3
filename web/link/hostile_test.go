package link

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// hostile are texts that try to become something else than text.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `" autofocus onfocus="alert(1)`, `' onmouseover='alert(1)`,
		`</textarea><script>alert(1)</script>`, `</title><script>alert(1)</script>`, `</script><script>alert(1)</script>`, `<!--`, `--><b>`, `<![CDATA[<b>]]>`, `]]>`,
		`<svg/onload=alert(1)>`, `<iframe srcdoc="<b>">`, `<a href="javascript:alert(1)">x</a>`, `javascript:alert(1)`, `data:text/html,<script>alert(1)</script>`,
		`</option></select><input name=act value=done>`, `</bdi></p></form><form action=//evil.example>`, `{{.Token}}`, `${settings.core}`, "`${alert(1)}`",
		`&lt;script&gt;alert(1)&lt;/script&gt;`, `&#60;b&#62;`, "\u003cb\u003e", `\u003cscript\u003e`, `%3Cscript%3E`, "＜script＞alert(1)＜/script＞", `+ADw-script+AD4-`,
		"\u202egnp.exe\u202c", "\u2066\u2067abc", "a\u200bb\ufeff", "\u2028alert(1)\u2029", "a\x00<b>", "\x1b[2J", "\r\nSet-Cookie: a=b", "\xff\xfe<b>", "\xc0\xbcb\xc0\xbe",
		"<\x00script>", "<scr\nipt>", "<SCRIPT SRC=//evil.example/x.js>", "<style>@import '//evil.example'</style>", "<base href=//evil.example>",
		`<meta http-equiv=refresh content="0;url=//evil.example">`, strings.Repeat("<b>", 600), strings.Repeat("长", 300), strings.Repeat("A", 1999),
		"../../etc/passwd", "//evil.example/", "' OR 1=1 --", "=cmd|'/c calc'!A1",
	}
}

// bones are the elements and attributes of a page in order, values of attributes that
// lead somewhere included: all that a text must not change.
func bones(t *testing.T, page string) []string {
	t.Helper()
	var out []string
	for i := 0; i < len(page); i++ {
		if page[i] != '<' {
			continue
		}
		rest := page[i+1:]
		switch {
		case strings.HasPrefix(rest, "!--"):
			t.Fatal("a comment")
		case rest == "" || !letter(rest[0]) && rest[0] != '/' && rest[0] != '!':
			continue // a sign, as a reader of HTML has it
		}
		end := tagEnd(rest)
		if end < 0 {
			t.Fatalf("a tag without an end: %.80q", rest)
		}
		out = append(out, attributes(t, rest[:end])...)
		i += end
	}
	return out
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func tagEnd(s string) int {
	quote := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && c == '>':
			return i
		}
	}
	return -1
}

// attributes splits a tag. All of ours have values in double quotes.
func attributes(t *testing.T, tag string) []string {
	t.Helper()
	name, rest, _ := strings.Cut(tag, " ")
	out := []string{name}
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		i := strings.IndexAny(rest, "= ")
		if i < 0 {
			rest, i = rest+" ", len(rest)
		}
		key := rest[:i]
		rest = rest[i:]
		if rest[0] == ' ' {
			if key != "checked" && key != "selected" { // depends on what stood there, and leads nowhere
				out = append(out, "@"+key)
			}
			continue
		}
		value, after, ok := strings.Cut(strings.TrimPrefix(rest, `="`), `"`)
		if !ok || !strings.HasPrefix(rest, `="`) {
			t.Fatalf("attribute %s of %q has no quotes", key, tag)
		}
		rest = after
		switch key {
		case "href", "src", "action", "id", "name", "for", "type":
			key += "=" + value
		}
		out = append(out, "@"+key)
	}
	return out
}

func TestBones(t *testing.T) {
	got := bones(t, `<!doctype html><a href="x" hidden>1 < 2 &lt;b&gt;</a><input value="<b>" required>`)
	if want := []string{"!doctype", "@html", "a", "@href=x", "@hidden", "/a", "input", "@value", "@required"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// says makes a prompt of any text, also one that no file could hold.
func says(t *testing.T, text string) *flow.Prompt {
	t.Helper()
	words, err := expression.NewEnv().Template(strings.ReplaceAll(text, "${", "$${"))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return &flow.Prompt{ByLang: map[string]*flow.Words{"en": {Text: words}}}
}

// TestHostileTexts puts each of them everywhere, and compares the page with the one that
// has a plain word there.
func TestHostileTexts(t *testing.T) {
	f := &sends{}
	n := 0
	pagesWith := func(h *house, text string) map[string]string {
		n++
		for _, p := range []**flow.Prompt{&h.operation.Title, &h.operation.Confirm, &h.operation.Result, &h.operation.Steps[0].Show} {
			*p = says(t, text)
		}
		for _, field := range h.forms["every"].Fields {
			field.Ask = says(t, text)
			if field.Type.Kind == expression.Enum {
				field.Type.Values[0] = text
				field.Labels = map[string]*flow.Prompt{field.Type.Values[1]: says(t, text)}
			}
		}
		h.said = []string{text, text}
		f.words = text
		o := h.order(ids(n))
		o.Params = map[string]any{}
		typed := url.Values{"act": {"done"}}
		for _, field := range h.forms["every"].Fields {
			o.Params[field.Name] = text
			typed.Set("f2-"+field.Name, text)
		}
		typed.Del("f2-user") // there is always a mistake
		for name, value := range map[string]string{"f2-kind": "", "f2-branch": "", "f2-news": "", "f2-abroad": ""} {
			typed.Set(name, value) // what is chosen shows in the page
		}
		b := h.browser()
		b.address = "2001:db8:0:" + hex(n) + "::1"
		_, token := h.token(t, o)
		page := b.opened(t, token)
		out := map[string]string{"operation": b.get(page).text, "mistakes": b.does(page, typed).text}
		other := good()
		other.Del("f2-branch")
		other.Set("f2-kind", h.forms["every"].Fields[11].Type.Values[1])
		if a := b.does(page, other); a.Code != 303 {
			t.Fatalf("%d: %s", a.Code, a.text)
		}
		out["done"] = b.get(page).text
		o.Key, o.Needs = ids(n)+"b", tandem.Verified
		_, token = h.token(t, o)
		page = b.opened(t, token)
		out["prove"] = b.get(page).text
		out["wrong"] = b.does(page, url.Values{"act": {"code"}, "code": {text}}).text
		// What a stranger sends, anywhere.
		stranger := h.browser()
		stranger.address = "2001:db8:1:" + hex(n) + "::1"
		out["token"] = stranger.send("POST", "/l", url.Values{"token": {text}, "nonce": {text}, "lang": {text}}).text
		_, token = h.token(t, h.order(ids(n)+"c"))
		out["nonce"] = stranger.send("POST", "/l", url.Values{"token": {token}, "nonce": {text}, "lang": {text}}).text
		out["address"] = stranger.get("/l/" + url.PathEscape(text)).text
		out["language"] = stranger.get("/l/" + token + "?lang=" + url.QueryEscape(text)).text
		out["page"] = stranger.get("/o/" + url.PathEscape(text)).text
		for kind, page := range out {
			for _, id := range idForm.FindAllString(page, -1) {
				page = strings.ReplaceAll(page, id, "ID")
			}
			out[kind] = page
		}
		return out
	}
	h := newHouse(t, f)
	plain := pagesWith(h, "word")
	for _, text := range hostile() {
		got := pagesWith(h, text)
		for kind, page := range got {
			if kind == "page" && strings.Contains(text, "/") || kind == "address" && strings.Contains(text, "/") {
				continue // another address, which has another page
			}
			if want := bones(t, plain[kind]); !slices.Equal(bones(t, page), want) {
				t.Errorf("%s with %.60q: %s", kind, text, diff(bones(t, page), want))
			}
			if strings.Contains(page, "<script>") || strings.Contains(page, "\x00") {
				t.Errorf("%s with %.60q: %s", kind, text, page)
			}
		}
	}
}

func diff(got, want []string) string {
	for i := range got {
		if i >= len(want) || got[i] != want[i] {
			return fmt.Sprintf("at %d: %q", i, got[i:min(len(got), i+8)])
		}
	}
	return "shorter"
}

var idForm = regexp.MustCompile(`\b[0-9a-z]{26}\b`)
