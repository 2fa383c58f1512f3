package testkit

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is one that fills in the pages of links: it keeps cookies, sends the forms it
// is shown and runs no scripts.
type Browser struct {
	t      testing.TB
	client *http.Client
	at     *url.URL
	Status int    // of the page it shows
	Page   string // its HTML
}

// NewBrowser opens one.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{t: t, client: &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * Patience}}
}

// Get shows a page.
func (b *Browser) Get(address string) *Browser {
	b.t.Helper()
	if err := b.TryGet(address); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// TryGet is Get where the server may be away.
func (b *Browser) TryGet(address string) error { return b.show(b.client.Get(address)) }

func (b *Browser) show(answer *http.Response, err error) error {
	if err != nil {
		return fmt.Errorf("a page: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("a page: %w", err)
	}
	b.at, b.Status, b.Page = answer.Request.URL, answer.StatusCode, string(text)
	return nil
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	inputTag   = regexp.MustCompile(`<(?:input|textarea|select)[^>]*>`)
	inputName  = regexp.MustCompile(` name="([^"]*)"`)
	inputValue = regexp.MustCompile(` value="([^"]*)"`)
)

// Send fills in the form of the page, each value by the end of its field's name, presses
// the button called act ("" = the only one) and shows what comes.
func (b *Browser) Send(act string, fields map[string]string) *Browser {
	b.t.Helper()
	if err := b.TrySend(act, fields); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// TrySend is Send where the server may be away.
func (b *Browser) TrySend(act string, fields map[string]string) error {
	action := formAction.FindStringSubmatch(b.Page)
	if action == nil {
		return fmt.Errorf("the page has no form: status %d\n%s", b.Status, b.Words())
	}
	sent := url.Values{}
	for _, tag := range inputTag.FindAllString(b.Page, -1) {
		name, value := inputName.FindStringSubmatch(tag), ""
		if name == nil {
			continue
		}
		if held := inputValue.FindStringSubmatch(tag); held != nil {
			value = html.UnescapeString(held[1])
		}
		for end, typed := range fields {
			if strings.HasSuffix(name[1], end) {
				value = typed
			}
		}
		sent.Set(name[1], value)
	}
	if act != "" {
		sent.Set("act", act)
	}
	to, err := b.at.Parse(html.UnescapeString(action[1]))
	if err != nil {
		return err
	}
	return b.show(b.client.PostForm(to.String(), sent))
}

var (
	markup = regexp.MustCompile(`(?s)<(?:style|script).*?</(?:style|script)>|<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

// Words are what a person reads on the page.
func (b *Browser) Words() string {
	return strings.TrimSpace(blanks.ReplaceAllString(html.UnescapeString(markup.ReplaceAllString(b.Page, " ")), " "))
}

// Address is that of the page it shows.
func (b *Browser) Address() string { return b.at.String() }

// Cookies are the values of those that the browser has for the page.
func (b *Browser) Cookies() (values []string) {
	for _, c := range b.client.Jar.Cookies(b.at) {
		values = append(values, c.Value)
	}
	return values
}

// Copy is another window of the same browser, at the same page.
func (b *Browser) Copy() *Browser { other := *b; return &other }
