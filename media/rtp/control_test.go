package rtp

import (
	"testing"
	"time"
)

func TestReportRoundTrip(t *testing.T) {
	block := Block{SSRC: 7, Fraction: 25, Lost: -3, Highest: 70000, Jitter: 42, LastSR: 0x12345678, Delay: 65536}
	tests := []struct {
		name   string
		report Report
		want   Control
		size   int
	}{
		{"sender", Report{SSRC: 9, Sender: true, NTP: 1 << 40, Time: 5, Packet: 6, Bytes: 7, Block: &block}, Control{SSRC: 9, NTP: 1 << 40, About: block, Reports: true}, 28 + 24 + 24},
		{"receiver", Report{SSRC: 9, Block: &block}, Control{SSRC: 9, About: block, Reports: true}, 8 + 24 + 24},
		{"empty, with BYE", Report{SSRC: 9, Bye: true}, Control{SSRC: 9, Bye: true}, 8 + 24 + 8},
		{"everything", Report{SSRC: 9, Sender: true, NTP: 3, Block: &block, Bye: true}, Control{SSRC: 9, NTP: 3, About: block, Reports: true, Bye: true}, MaxReport},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.report.Append(nil)
			if len(b) != tt.size {
				t.Errorf("%d bytes, not %d", len(b), tt.size)
			}
			if got, err := ParseControl(b, 7); err != nil || got != tt.want {
				t.Errorf("%+v, %v", got, err)
			}
			if got, err := ParseControl(b, 8); err != nil || got.Reports {
				t.Errorf("about another: %+v, %v", got, err)
			}
			for cut := range len(b) {
				if _, err := ParseControl(b[:cut], 7); err == nil && cut%4 != 0 {
					t.Errorf("cut to %d bytes it is accepted", cut)
				}
			}
		})
	}
}

func TestParseControlRefuses(t *testing.T) {
	tests := map[string][]byte{
		"empty":              nil,
		"RTP":                {0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3},
		"BYE alone":          {0x81, typeBye, 0, 1, 0, 0, 0, 1},
		"sender too short":   {0x80, typeSender, 0, 1, 0, 0, 0, 1},
		"length beyond":      {0x80, typeReceiver, 0, 9, 0, 0, 0, 1},
		"second of no sense": {0x80, typeReceiver, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0},
	}
	for name, b := range tests {
		if c, err := ParseControl(b, 1); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
}

func TestRoundTripTime(t *testing.T) {
	sent := time.Unix(1_700_000_000, 0)
	middle := uint32(NTP(sent) >> 16)
	b := Block{LastSR: middle, Delay: 65536 / 2} // the far end waited half a second
	if got := b.RoundTrip(NTP(sent.Add(600 * time.Millisecond))); (got - 100*time.Millisecond).Abs() > time.Millisecond {
		t.Errorf("round trip of %v", got)
	}
	if got := b.RoundTrip(NTP(sent)); got != 0 {
		t.Errorf("a delay longer than the time passed gives %v", got)
	}
	if got := (Block{}).RoundTrip(NTP(sent)); got != 0 {
		t.Errorf("no report of ours gives %v", got)
	}
}

func FuzzControl(f *testing.F) {
	block := Block{SSRC: 7}
	f.Add(Report{SSRC: 9, Sender: true, Block: &block, Bye: true}.Append(nil))
	f.Add([]byte{0x9f, typeReceiver, 0, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseControl(b, 7)
		if err != nil {
			return
		}
		if rtt := c.About.RoundTrip(1); rtt < 0 {
			t.Fatalf("round trip of %v", rtt)
		}
		if c.About.Lost > 1<<23-1 || c.About.Lost < -1<<23 {
			t.Fatalf("lost %d does not fit 24 bits", c.About.Lost)
		}
	})
}
