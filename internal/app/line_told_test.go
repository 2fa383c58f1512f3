package app

import (
	"testing"

	"tandem"
	"tandem/ivr/flow"
)

// A call comes into line before its session is seen to wait there: whoever looks in between
// must not take it for gone, or nobody would tell it that it was served.
func TestWhoIsAboutToWaitIsNotForgotten(t *testing.T) {
	for _, c := range []struct {
		name string
		wait flow.Wait // of the call's session
		kept bool
	}{
		{"not there yet", flow.Wait{Kind: flow.WaitListen, Serial: 4}, true},
		{"past it", flow.Wait{Kind: flow.WaitListen, Serial: 6}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			const in = tandem.InteractionID("in")
			a := &App{}
			a.told.init()
			k := &call{}
			k.stay.wait = c.wait
			a.live.put(in, k)
			w := waiter{task: "task", in: in, serial: 5}
			a.told.waits(w)
			if err := a.tellSession(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if _, kept := a.told.of(in); kept != c.kept {
				t.Errorf("it is known: %t", kept)
			}
		})
	}
}
