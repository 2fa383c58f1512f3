package hook

import (
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// FuzzNames: what somebody says is a delivery or a key is one, or is refused; one that is
// taken is written as it was.
func FuzzNames(f *testing.F) {
	e := tandem.Event{Interaction: "06h0f8hig3moi0efio3rg5jqe8", Seq: 14, At: time.Unix(1795424400, 5), Kind: tandem.EventTaskOffered}
	ref := store.EventRef{Interaction: e.Interaction, Seq: e.Seq}
	for _, s := range []string{eventID(ref), keyOf("s", &e), "evt_", "evt__1", "evt_06h0f8hig3moi0efio3rg5jqe8_-1", "hook/a/b/c/d/e", "hook/s/0/i/18446744073709551616/k", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ref, ok := parseEventID(s); ok {
			again, ok := parseEventID(eventID(ref))
			if !ok || again != ref || !tandem.ValidID(string(ref.Interaction)) {
				t.Errorf("%q is read as %+v, and that as %+v", s, ref, again)
			}
		}
		if l, ok := parseKey(s); ok {
			e := tandem.Event{Interaction: l.ref.Interaction, Seq: l.ref.Seq, At: l.at, Kind: l.kind}
			if again, ok := parseKey(keyOf(l.subscription, &e)); ok && again != l {
				t.Errorf("%q is read as %+v, and that as %+v", s, l, again)
			}
		}
	})
}

// TestKeysSort: a page of deliveries is a range of keys, so they sort by time.
func TestKeysSort(t *testing.T) {
	before := ""
	for i, at := range []time.Time{time.Unix(1, 0), time.Unix(1795424400, 5), time.Unix(1795424400, 6), time.Unix(1795424401, 0), time.Unix(9e9, 0)} {
		key := keyOf("s", &tandem.Event{Interaction: "i", Seq: uint64(9 - i), At: at, Kind: "k"})
		if key <= before {
			t.Errorf("%s does not come after %s", key, before)
		}
		l, ok := parseKey(key)
		if !ok || !l.at.Equal(at) || l.subscription != "s" || l.kind != "k" || l.ref.Seq != uint64(9-i) {
			t.Errorf("%s is read as %+v", key, l)
		}
		before = key
	}
}
