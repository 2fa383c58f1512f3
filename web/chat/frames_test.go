package chat

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"tandem"
	"tandem/bridge/chat"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"t":"hello","site":"bank","after":3,"langs":["en"]}`, `{"t":"say","id":"a","text":"b","secret":true}`, `{"t":"read","seq":7}`,
		`{"T":"ping"}`, `{"t":"x","t":"y"}`, `{"t":"say","text":"\ud800"}`, `[[[[`, `{"t":"say","seq":1e3}`, "\x00", `{"t":"` + strings.Repeat("a", 100) + `"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := parse(data)
		if err != nil {
			if !reflect.DeepEqual(in, incoming{}) {
				t.Errorf("what was refused is handed on: %+v", in)
			}
			return
		}
		if in.T == "" || !utf8.ValidString(in.Text) || !utf8.ValidString(in.ID) {
			t.Errorf("%+v", in)
		}
		if clientID(in.ID) && (len(in.ID) > maxClient || strings.ContainsAny(in.ID, ":/ \n\"<")) {
			t.Errorf("an id %q", in.ID)
		}
		again, err := json.Marshal(map[string]any{"t": in.T, "site": in.Site, "qr": in.QR, "token": in.Token, "after": in.After, "langs": in.Langs, "id": in.ID,
			"text": in.Text, "attachment": in.Attachment, "secret": in.Secret, "seq": in.Seq, "on": in.On})
		if err != nil {
			t.Fatal(err)
		}
		if len(again) <= maxFrame {
			if back, err := parse(again); err != nil || !reflect.DeepEqual(back, in) {
				t.Errorf("%+v became %+v: %v", in, back, err)
			}
		}
		choose(in.Langs, []string{"en", "zh-CN"})
	})
}

func TestMessageOf(t *testing.T) {
	e := &chat.Entry{Rev: 9, State: tandem.MessageRead, Message: tandem.Message{Seq: 3, From: tandem.SenderFlow, Client: "flow:secret-key", Text: "hi",
		Image: "a dir/ü?.png", Buttons: []tandem.Button{{Keys: "1", Label: "Yes"}}}}
	m := messageOf(e)
	if m.ID != "" || m.Image != "/api/v1/chat/images/a%20dir/%C3%BC%3F.png" || m.T != kindMessage || m.Buttons[0].Keys != "1" {
		t.Errorf("%+v", m)
	}
	e.Message.From = tandem.SenderCustomer
	if messageOf(e).ID != "flow:secret-key" {
		t.Error("the customer's own id is left out")
	}
}

func TestChoose(t *testing.T) {
	have := []string{"en", "zh-CN"}
	for want, asked := range map[string][][]string{
		"en":    {nil, {"fr"}, {"en-US", "zh"}, {"fr", "en"}, {""}},
		"zh-CN": {{"zh"}, {"zh-CN", "en"}, {"ZH-tw"}, {"fr", "zh-Hant-HK"}},
	} {
		for _, a := range asked {
			if got := choose(a, have); got != want {
				t.Errorf("%v gets %s, want %s", a, got, want)
			}
		}
	}
	if choose([]string{"en"}, nil) != "" {
		t.Error("a language out of none")
	}
}

// constants reads the constants of our files whose name begins with a prefix, by name.
func constants(t *testing.T, prefix string) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, prefix) && len(spec.Values) == 1 {
				if value, ok := spec.Values[0].(*ast.BasicLit); ok {
					out[spec.Names[0].Name] = strings.Trim(value.Value, `"`)
				}
			}
			return true
		})
	}
	return out
}

// fields names the fields of a frame as they are written.
func fields(of any) (out []string) {
	kind := reflect.TypeOf(of)
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		out = append(out, name)
	}
	return out
}

// TestThePageIsTrue: docs/chat-protocol.md has every kind, code and field there is.
func TestThePageIsTrue(t *testing.T) {
	data, err := os.ReadFile("../../docs/chat-protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	kinds, codes := constants(t, "kind"), constants(t, "code")
	if len(kinds) != 21 || len(codes) != 8 {
		t.Errorf("%d kinds and %d codes are found: %v %v", len(kinds), len(codes), kinds, codes)
	}
	for name, kind := range kinds {
		if !strings.Contains(page, `"t":"`+kind+`"`) {
			t.Errorf("the page has no frame %q (%s)", kind, name)
		}
	}
	for name, code := range codes {
		if !strings.Contains(page, "| `"+code+"` |") {
			t.Errorf("the page has no code %q (%s)", code, name)
		}
	}
	for _, frame := range []any{incoming{}, welcome{}, siteView{}, message{}, attachmentView{}, linkView{}, caughtUp{}, typing{}, refused{}, place{}, offerView{},
		upgradeFrame{}, Upgrade{}, Seer{}, signalFrame{}, checkFrame{}, Check{}, CheckConsent{}, CheckStep{}, CheckCapture{}, doneFrame{}} {
		for _, field := range fields(frame) {
			if !strings.Contains(page, "`"+field+"`") && !strings.Contains(page, `"`+field+`":`) {
				t.Errorf("the page does not tell of %q of %T", field, frame)
			}
		}
	}
	for _, number := range []string{"1003", "1008", "1009", "1011", "1012", "1013", "4000", "64 KiB", "4,000 characters", "64 characters", "8 MB", "40 megapixels", "2048", protocol} {
		if !strings.Contains(page, number) {
			t.Errorf("the page does not tell of %s", number)
		}
	}
}
