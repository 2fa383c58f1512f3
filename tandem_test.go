package tandem

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIDsSortByTime(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var ids []LegID
	for i := range 100 {
		id := NewID[LegID](at.Add(time.Duration(i)*time.Millisecond), rand.Reader)
		if !ValidID(string(id)) {
			t.Fatalf("%q is not valid", id)
		}
		ids = append(ids, id)
	}
	if !slices.IsSorted(ids) {
		t.Error("ids do not sort by the time of making")
	}
	for _, bad := range []string{"", "x", strings.Repeat("z", 26), strings.Repeat("0", 27)} {
		if ValidID(bad) {
			t.Errorf("%q counts as valid", bad)
		}
	}
}

// Every single wrong digit and every swap of unlike neighbours must be caught.
func TestNumberCheckDigit(t *testing.T) {
	for range 200 {
		n := NewNumber(rand.Reader)
		if got, err := ParseNumber(n.String()); err != nil || got != n {
			t.Fatalf("%s read back as %s, %v", n, got, err)
		}
		for i := range n {
			for d := byte('0'); d <= '9'; d++ {
				b := []byte(n)
				if b[i] == d {
					continue
				}
				b[i] = d
				if _, err := ParseNumber(string(b)); err == nil {
					t.Fatalf("%s passes for %s", b, n)
				}
			}
			if i > 0 && n[i] != n[i-1] {
				b := []byte(n)
				b[i], b[i-1] = b[i-1], b[i]
				if _, err := ParseNumber(string(b)); err == nil {
					t.Fatalf("%s passes for %s", b, n)
				}
			}
		}
	}
	for in, want := range map[string]string{"123": "has 11 digits, this has 3", "1234567890x": "digits only"} {
		if _, err := ParseNumber(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// Digits are drawn without favour: random bytes above 249 are passed over.
func TestNumberDrawsEvenly(t *testing.T) {
	random := bytes.NewReader([]byte{255, 250, 9, 19, 29, 39, 49, 59, 69, 79, 89, 249})
	if n := NewNumber(random); !strings.HasPrefix(string(n), "9999999999") {
		t.Errorf("drew %s", n)
	}
}

func TestAssurance(t *testing.T) {
	if !(None < Recognised && Recognised < Verified && Verified < Proofed) {
		t.Error("levels are not in order")
	}
	b, err := json.Marshal(map[string]Assurance{"a": Verified})
	if err != nil || string(b) != `{"a":"verified"}` {
		t.Fatalf("%s, %v", b, err)
	}
	var back map[string]Assurance
	if err := json.Unmarshal(b, &back); err != nil || back["a"] != Verified {
		t.Errorf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"a":"certain"}`), &back); err == nil {
		t.Error("an unknown level is taken")
	}
}

func TestTermination(t *testing.T) {
	for reason, class := range reasonClass {
		if got := Terminate(BySystem, reason); got.Class != class || got.IsZero() {
			t.Errorf("%s: %+v", reason, got)
		}
	}
	if !(Termination{}).IsZero() {
		t.Error("the zero termination has ended")
	}
	defer func() {
		if recover() == nil {
			t.Error("a reason outside the list is taken")
		}
	}()
	Terminate(BySystem, "because")
}

func TestErrorKeepsCauseAndCode(t *testing.T) {
	cause := errors.New("disk full")
	err := Errorf(CodeUnavailable, "not now: %w", cause)
	if !errors.Is(err, cause) || CodeOf(err) != CodeUnavailable || err.Error() != "not now: disk full" {
		t.Errorf("%v, %s", err, CodeOf(err))
	}
	if CodeOf(cause) != CodeInternal {
		t.Error("an error without a code is a fault of ours")
	}
}
