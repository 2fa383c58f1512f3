package answer

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type fence struct {
	Fence uint64 `json:"fence" answer:"needed"`
}

// TestReadNamesTheField: whoever sends a body that is not taken is told what about it.
func TestReadNamesTheField(t *testing.T) {
	for _, test := range []struct{ body, says string }{
		{`{"fence":1,"seconds":2}`, ""},
		{`{"Fence":1,"seconds":0,"note":"x"}`, ""},
		{`{"fence":1,"secs":2}`, `There is no field "secs" here. It takes: fence, seconds, note.`},
		{`{"fence":1,"` + strings.Repeat("s", 500) + `":2}`, `There is no field "` + strings.Repeat("s", 40) + `…" here. It takes: fence, seconds, note.`},
		{`{"seconds":2}`, `The field "fence" is missing.`},
		{`{"fence":1,"seconds":null}`, `The field "seconds" is missing.`},
		{`{}`, `These fields are missing: fence, seconds.`},
		{`{"fence":1,"seconds":"two"}`, `The field "seconds" cannot be a JSON string.`},
		{`{"fence":-1,"seconds":2}`, `The field "fence" cannot be a JSON number -1.`},
		{``, `The request has no body: send a JSON object. It takes: fence, seconds, note.`},
		{`{"fence":`, `The request's body is not JSON.`},
		{`{"fence":1,"seconds":2} {}`, `The request's body has more behind its JSON.`},
		{`[]`, `The request's body does not have the form this address takes. It takes: fence, seconds, note.`},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(test.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		var in struct {
			fence
			Seconds *float64 `json:"seconds" answer:"needed"`
			Note    string   `json:"note"`
			inner   int
		}
		ok := Read(w, r, &in)
		_ = in.inner
		var p Problem
		if !ok {
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Code != "invalid" || w.Code != http.StatusBadRequest {
				t.Errorf("%s is answered %d %s", test.body, w.Code, w.Body)
			}
		}
		if p.Message != test.says {
			t.Errorf("%.40s: says %q, want %q", test.body, p.Message, test.says)
		}
	}
}
