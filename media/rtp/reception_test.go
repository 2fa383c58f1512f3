package rtp

import "testing"

func TestReception(t *testing.T) {
	seq := func(first uint16, n int) (all []uint16) {
		for i := range n {
			all = append(all, first+uint16(i))
		}
		return all
	}
	join := func(parts ...[]uint16) (all []uint16) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	tests := []struct {
		name     string
		seqs     []uint16
		received uint64
		lost     uint64
		late     uint64
		suspects int
	}{
		{"in order", seq(5, 10), 10, 0, 0, 0},
		{"over the wrap", seq(65530, 10), 10, 0, 0, 0},
		{"one lost", []uint16{1, 2, 4, 5}, 4, 1, 0, 0},
		{"lost at the wrap", []uint16{65534, 1}, 2, 2, 0, 0},
		{"reordered", []uint16{1, 3, 2, 4}, 4, 0, 1, 0},
		{"doubled", []uint16{1, 2, 2, 3}, 4, 0, 1, 0},
		{"a wild packet", []uint16{1, 2, 30000, 3}, 3, 0, 0, 1},
		{"a new start", join(seq(1, 5), seq(30000, 5)), 9, 0, 0, 1},
		{"loss before a new start", join([]uint16{1, 3}, seq(30000, 3)), 4, 1, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Reception
			suspects := 0
			for i, s := range tt.seqs {
				if r.Note(Header{Seq: s, SSRC: 1, Time: uint32(i * 160)}, uint32(i*160)) == Suspect {
					suspects++
				}
			}
			if r.Packets != tt.received || r.LostTotal() != tt.lost || r.LateSeen != tt.late || suspects != tt.suspects {
				t.Errorf("received %d, lost %d, late %d, suspect %d", r.Packets, r.LostTotal(), r.LateSeen, suspects)
			}
		})
	}
}

func TestReceptionChangesSource(t *testing.T) {
	var r Reception
	note := func(ssrc uint32, seq uint16) Verdict { return r.Note(Header{SSRC: ssrc, Seq: seq}, 0) }
	for i, step := range []struct {
		ssrc uint32
		seq  uint16
		want Verdict
	}{
		{1, 10, Fresh}, {1, 11, Fresh},
		{2, 500, Suspect}, {1, 12, Fresh}, // one packet of another source proves nothing
		{3, 7, Suspect}, {2, 8, Suspect}, // nor do two of different ones
		{2, 9, Fresh}, {1, 13, Suspect},
	} {
		if got := note(step.ssrc, step.seq); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	r.Reset()
	if note(9, 1) != Fresh || r.SSRC != 9 {
		t.Error("after Reset the next source is believed at once")
	}
}

func TestJitterAndBlock(t *testing.T) {
	var r Reception
	for i := range 1000 { // every other packet 5 ms late: jitter tends to 40 samples
		if i%10 == 9 {
			continue
		}
		r.Note(Header{SSRC: 1, Seq: uint16(65000 + i), Time: uint32(i * 160)}, uint32(i*160+i%2*40))
	}
	if j := r.Jitter(); j < 30 || j > 45 {
		t.Errorf("jitter %d", j)
	}
	b := r.Block()
	if b.Highest != 65000+998 || b.Lost != 99 || b.Fraction < 24 || b.Fraction > 26 {
		t.Errorf("%+v", b)
	}
	if again := r.Block(); again.Fraction != 0 || again.Lost != 99 {
		t.Errorf("next interval: %+v", again)
	}
	r.Sample(true)
	r.Note(Header{SSRC: 1, Seq: 500}, 0)
	r.Note(Header{SSRC: 1, Seq: 564}, 0)
	if r.Lost() != 0 || r.LostTotal() != 99 {
		t.Errorf("sampled: lost %d, in all %d", r.Lost(), r.LostTotal())
	}
}
