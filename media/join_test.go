package media

import (
	"bytes"
	"errors"
	"testing"

	"tandem/media/codec"
)

func TestJoin(t *testing.T) {
	for _, shards := range []int{1, 2} {
		e := newEngine(t, Config{Shards: shards})
		a, p := call(t, e, codec.PCMU)
		b, q := call(t, e, codec.PCMA)
		agreed := params(q, codec.PCMA)
		agreed.Event = 96
		b.Set(agreed)
		if err := b.Play(Item{ID: 1, Clips: []*Clip{Tone(600, 100)}, Loop: true}); err != nil {
			t.Fatal(err)
		}
		q.waitTone(600, codec.PCMA)
		before := q.next()
		part, err := Join(a, b)
		if err != nil {
			t.Fatal(err)
		}
		if shards == 2 && a.shard != b.shard {
			t.Error("both must live on one shard")
		}
		if _, err := Join(b, a); !errors.Is(err, ErrJoined) {
			t.Errorf("joined twice: %v", err)
		}
		// speech goes across, transcoded, under b's own numbers
		var heard []packet
		done := make(chan struct{})
		go func() {
			defer close(done)
			paced(40, func(i int) {
				if i == 20 {
					p.press('7')
				}
				p.speak(1, 900)
			})
		}()
		var pcm []int16
		sevens, times := 0, map[uint32]bool{}
		for sevens < 7 || len(pcm) < 20*codec.FrameSamples {
			pk := q.next()
			heard = append(heard, pk)
			switch pk.Payload {
			case 96:
				if pk.payload[0] != 7 {
					t.Errorf("key %d", pk.payload[0])
				}
				times[pk.Time] = true
				sevens++
			default:
				pcm = append(pcm, decoded(codec.PCMA, pk.payload)...)
			}
		}
		<-done
		if len(times) != 1 {
			t.Errorf("the key's packets have %d times", len(times))
		}
		checkPassed(t, before, heard)
		if l := level(pcm[len(pcm)-2400:], 900); l < 0.8 {
			t.Errorf("the tone makes up %.2f of what came across", l)
		}
		if got := nextEvent[Key](t, a); got.Digit != '7' {
			t.Errorf("the key reached its owner as %+v", got)
		}
		part()
		part()
		q.waitTone(600, codec.PCMA) // the music goes on
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkPassed looks at the numbers of what came across: they go on from the packet
// before, with one marker at the switch.
func checkPassed(t *testing.T, before packet, heard []packet) {
	t.Helper()
	last, markers := before, 0
	for _, pk := range heard {
		if pk.Seq != last.Seq+1 || pk.SSRC != before.SSRC {
			t.Errorf("sequence %d after %d", pk.Seq, last.Seq)
		}
		if pk.Payload == 8 && pk.Marker {
			markers++
		}
		last = pk
	}
	if markers != 1 {
		t.Errorf("%d markers", markers)
	}
}

// The rest of a key that was pressed before the join does not come across, the next does.
func TestKeyBegunBeforeTheJoin(t *testing.T) {
	e := newEngine(t, Config{})
	a, p := call(t, e, codec.PCMU)
	b, q := call(t, e, codec.PCMU)
	zero := eventPackets('0', p.head.Time)
	for _, pk := range zero[:3] {
		p.event(pk)
	}
	if got := nextEvent[Key](t, a); got.Digit != '0' {
		t.Fatalf("heard %+v", got)
	}
	if _, err := Join(a, b); err != nil {
		t.Fatal(err)
	}
	for _, pk := range zero[3:] {
		p.event(pk)
	}
	p.head.Time += 8 * codec.FrameSamples
	p.press('5')
	for {
		if pk := q.next(); pk.Payload == 101 {
			if pk.payload[0] != 5 {
				t.Errorf("key %d came across", pk.payload[0])
			}
			return
		}
	}
}

// Secret keys and their tones stop at the hush.
func TestHushedJoin(t *testing.T) {
	e := newEngine(t, Config{})
	a, p := call(t, e, codec.PCMU)
	b, q := call(t, e, codec.PCMU)
	var taken bytes.Buffer
	r := b.Record(&taken, true)
	if _, err := Join(a, b); err != nil {
		t.Fatal(err)
	}
	a.Hush(true)
	paced(5, func(i int) {
		p.speak(1, 900)
		p.press('1' + byte(i))
	})
	for i := range 5 {
		if got := nextEvent[Key](t, a); got.Digit != '1'+byte(i) {
			t.Errorf("heard %+v", got)
		}
	}
	if _, err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	st := b.Stats()
	for range st.Sent {
		pk := q.next()
		if pk.Payload == 101 {
			t.Fatal("a key came across")
		}
		for _, x := range decoded(codec.PCMU, pk.payload) {
			if x > 8 || x < -8 {
				t.Fatal("sound came across")
			}
		}
	}
	for _, x := range decoded(r.Law(), taken.Bytes()) {
		if x > 8 || x < -8 {
			t.Fatal("sound was recorded")
		}
	}
}

// The last key of a secret is still held down when the hush ends: its other packets, and
// its tone in the audio, do not pass; the next key does.
func TestHushOutlastsTheKey(t *testing.T) {
	e := newEngine(t, Config{})
	a, p := call(t, e, codec.PCMU)
	b, q := call(t, e, codec.PCMU)
	if _, err := Join(a, b); err != nil {
		t.Fatal(err)
	}
	a.Hush(true)
	four := eventPackets('4', p.head.Time)
	for _, pk := range four[:3] {
		p.event(pk)
	}
	if got := nextEvent[Key](t, a); got.Digit != '4' {
		t.Fatalf("heard %+v", got)
	}
	a.Hush(false)
	for i, pk := range four[3:] {
		p.event(pk)
		if i == 0 {
			p.speak(1, 770)
		}
	}
	waitStats(t, a, func(st Stats) bool { return st.Received == uint64(len(four))+1 })
	p.head.Time += 8 * codec.FrameSamples
	paced(10, func(int) { p.speak(1, 0) }) // until the key's tone is over for certain
	for _, pk := range four[len(four)-1:] {
		p.event(pk) // doubled on its way
	}
	p.press('5')
	for {
		pk := q.next()
		if pk.Payload != 101 {
			if level(decoded(codec.PCMU, pk.payload), 770) > 0.1 {
				t.Fatal("the key's tone came across")
			}
			continue
		}
		if pk.payload[0] != 5 {
			t.Errorf("key %d came across", pk.payload[0])
		}
		return
	}
}

func TestCloseOfOneJoined(t *testing.T) {
	e := newEngine(t, Config{Shards: 2})
	a, p := call(t, e, codec.PCMU)
	b, q := call(t, e, codec.PCMU)
	part, err := Join(a, b)
	if err != nil {
		t.Fatal(err)
	}
	p.speak(1, 900)
	a.Close()
	part()
	if err := b.Play(Item{ID: 1, Clips: []*Clip{Tone(600, 200)}}); err != nil {
		t.Fatal(err)
	}
	q.waitTone(600, codec.PCMU)
	if _, err := Join(a, b); !errors.Is(err, ErrClosed) {
		t.Errorf("join of a closed stream: %v", err)
	}
	if _, err := Join(b, b); err == nil {
		t.Error("a stream cannot be joined with itself")
	}
}
