package testkit

import (
	"testing"
	"time"
)

func TestPhoneToPhone(t *testing.T) {
	t.Parallel()
	callee := NewPhone(t, PhoneOptions{Name: "callee", Says: Tone(1000, 2*time.Second), Answers: true})
	caller := NewPhone(t, PhoneOptions{Name: "caller", Says: Tone(400, 2*time.Second), Law: "PCMA"})
	caller.Dial("callee", callee.Addr())
	callee.Wait(Patience, "CALL_ESTABLISHED")
	waitTone(t, caller, 1000)
	waitTone(t, callee, 400)
	caller.Type("1122#")
	for _, want := range "1122#" {
		if got := callee.Wait(Patience, "CALL_DTMF_START").Param; got != string(want) {
			t.Errorf("the callee got key %q, want %q", got, want)
		}
	}
	caller.Hold()
	caller.Resume()
	caller.Hangup()
	if reason := callee.Closed(Patience); reason == "" {
		t.Error("no reason for the end of the call")
	}
}

// waitTone waits until the phone's own recording holds a second of a tone.
func waitTone(t *testing.T, p *Phone, hz int) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(10 * time.Second)
	for {
		spans := Transcript(p.Heard(), 400, 1000)
		if ToneTime(spans, hz) >= time.Second {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("no %d Hz, heard %s\n%s", hz, Describe(spans), p.log)
		}
	}
}
