package upgrade

import (
	"testing"

	"tandem"
	"tandem/media/webrtc"
)

func TestCarried(t *testing.T) {
	const up, cut, fresh, connecting, gone = webrtc.StateUp, webrtc.StateCut, webrtc.StateNew, webrtc.StateConnecting, webrtc.StateGone
	for _, c := range []struct {
		name     string
		agreed   tandem.Level
		pictures bool
		was      bool
		l        links
		now      tandem.Level
		fallen   string
	}{
		{"nothing is connected yet", seeing, false, false, links{false, false, fresh, fresh, "", ""}, text, ""},
		{"it connects", seeing, false, false, links{false, false, connecting, connecting, "", ""}, text, ""},
		{"heard, and not joined yet", seeing, false, false, links{false, false, up, up, "ok", "ok"}, text, ""},
		{"the microphone is denied", voice, false, false, links{false, false, fresh, "", "denied", ""}, text, fellMicrophone},
		{"voice first", seeing, false, true, links{true, false, up, connecting, "ok", ""}, voice, ""},
		{"all", seeing, false, true, links{true, false, up, up, "ok", "ok"}, seeing, ""},
		{"their camera is off", seeing, false, true, links{true, false, up, up, "ok", "off"}, seeing, ""},
		{"their camera is denied", seeing, false, true, links{true, false, up, up, "ok", "denied"}, voice, fellCamera},
		{"another program took their camera", seeing, false, true, links{true, false, up, up, "ok", "muted"}, voice, fellCamera},
		{"pictures fall", seeing, false, true, links{true, false, up, cut, "ok", "ok"}, voice, fellNetwork},
		{"pictures are given up", seeing, false, true, links{true, false, up, gone, "ok", "ok"}, voice, fellNetwork},
		{"both fall", seeing, false, true, links{true, false, cut, cut, "ok", "ok"}, text, fellNetwork},
		{"sound alone falls: a talk in which one cannot hear is none", seeing, false, true, links{true, false, cut, up, "ok", "ok"}, text, fellNetwork},
		{"their microphone is gone, they hear", voice, false, true, links{true, false, up, "", "unplugged", ""}, voice, fellMicrophone},
		{"the same, seen", seeing, false, true, links{true, false, up, up, "unplugged", "ok"}, seeing, fellMicrophone},
		{"a silent microphone is one", voice, false, true, links{true, false, up, "", "silent", ""}, voice, ""},
		{"no more was agreed", voice, false, true, links{true, false, up, up, "ok", "ok"}, voice, ""},
		{"on the telephone: it connects", seeing, true, false, links{true, false, "", connecting, "", ""}, text, ""},
		{"on the telephone: seen", seeing, true, true, links{true, false, "", up, "", "ok"}, seeing, ""},
		{"on the telephone: pictures fall", seeing, true, true, links{true, false, "", cut, "", "ok"}, text, fellNetwork},
		{"on the telephone: camera denied", seeing, true, false, links{true, false, "", up, "", "denied"}, text, fellCamera},
		{"text", text, false, true, links{true, false, up, up, "ok", "ok"}, text, ""},
		{"who serves them is cut", seeing, false, true, links{Joined: true, Alone: true, Voice: up, Screen: up}, text, fellAgent},
		{"both ends are", seeing, false, true, links{Joined: true, Alone: true, Voice: cut, Screen: cut}, text, fellNetwork},
	} {
		if now, fallen := carried(c.agreed, c.pictures, c.was, c.l); now != c.now || fallen != c.fallen {
			t.Errorf("%s: %q, fallen by %q; not %q, %q", c.name, now, fallen, c.now, c.fallen)
		}
	}
}

// TestCarriedHolds goes through all states of all connections.
func TestCarriedHolds(t *testing.T) {
	states := []webrtc.State{"", webrtc.StateNew, webrtc.StateConnecting, webrtc.StateUp, webrtc.StateCut, webrtc.StateGone}
	mics := []string{"", webrtc.MicOK, webrtc.MicMuted, webrtc.MicUnplugged, webrtc.MicDenied, webrtc.MicSilent}
	cams := []string{"", webrtc.CamOK, webrtc.CamMuted, webrtc.CamUnplugged, webrtc.CamDenied, webrtc.CamOff}
	yes := []bool{false, true}
	n := 0
	for _, agreed := range []tandem.Level{text, voice, seeing} {
		for _, pictures := range yes {
			for _, was := range yes {
				for _, joined := range yes {
					for _, v := range states {
						for _, s := range states {
							for _, mic := range mics {
								for _, cam := range cams {
									l := links{Joined: joined, Voice: v, Screen: s, Mic: mic, Cam: cam}
									now, fallen := carried(agreed, pictures, was, l)
									n++
									for what, wrong := range map[string]bool{
										"more than was agreed":              above(now, agreed),
										"something, and they are not in":    now != text && !joined,
										"sound that nobody hears":           now != text && !pictures && v != webrtc.StateUp,
										"pictures that do not come":         now == seeing && s != webrtc.StateUp,
										"a network blamed that never was":   fallen == fellNetwork && !was,
										"all, and something is missing":     now == agreed && fallen == fellNetwork && agreed != text,
										"less after all was there, no word": was && joined && now != agreed && fallen == "" && s != webrtc.StateNew && s != webrtc.StateConnecting,
									} {
										if wrong {
											t.Fatalf("%s: %q, fallen by %q, of %q %+v, pictures %t, was %t", what, now, fallen, agreed, l, pictures, was)
										}
									}
								}
							}
						}
					}
				}
			}
		}
	}
	if n != 3*2*2*2*6*6*6*6 {
		t.Errorf("%d were looked at", n)
	}
}
