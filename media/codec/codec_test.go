package codec

import "testing"

func TestRoundTrip(t *testing.T) {
	for _, law := range []Law{PCMU, PCMA} {
		for s := -32768; s <= 32767; s += 7 {
			got := int(law.Linear(law.Sample(int16(s))))
			// the step of the coarsest segment is 1024 (PCMU clips at 32,635)
			if diff := got - s; diff > 1100 || diff < -1100 {
				t.Fatalf("%v: %d came back as %d", law, s, got)
			}
			if s > -200 && s < 200 && (got-s > 16 || s-got > 16) {
				t.Fatalf("%v: quiet %d came back as %d", law, s, got)
			}
		}
	}
}

func TestEveryByteSurvivesItsLaw(t *testing.T) {
	for _, law := range []Law{PCMU, PCMA} {
		for i := range 256 {
			s := law.Linear(byte(i))
			if again := law.Linear(law.Sample(s)); again != s {
				t.Errorf("%v byte %#x: %d became %d", law, i, s, again)
			}
		}
	}
}

func TestConvert(t *testing.T) {
	src := make([]byte, 256)
	for i := range src {
		src[i] = byte(i)
	}
	tests := []struct{ from, to Law }{{PCMU, PCMU}, {PCMU, PCMA}, {PCMA, PCMU}, {PCMA, PCMA}}
	for _, tt := range tests {
		dst := make([]byte, 256)
		if n := tt.to.Convert(dst, src, tt.from); n != 256 {
			t.Fatalf("converted %d bytes", n)
		}
		for i := range dst {
			was, is := int(tt.from.Linear(src[i])), int(tt.to.Linear(dst[i]))
			if d := is - was; d > 1100 || d < -1100 {
				t.Errorf("%v to %v: byte %#x: %d became %d", tt.from, tt.to, i, was, is)
			}
		}
	}
}

func TestSilence(t *testing.T) {
	for _, law := range []Law{PCMU, PCMA} {
		b := make([]byte, FrameSamples)
		law.Fill(b)
		pcm := make([]int16, FrameSamples)
		law.Decode(pcm, b)
		for _, s := range pcm {
			if s > 8 || s < -8 {
				t.Fatalf("%v: silence decodes to %d", law, s)
			}
		}
		enc := make([]byte, FrameSamples)
		if n := law.Encode(enc, pcm[:100]); n != 100 || law.Linear(enc[0]) != pcm[0] {
			t.Fatalf("%v: encoded %d samples", law, n)
		}
	}
}
