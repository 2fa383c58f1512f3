package read

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

const (
	seenFlow = "flow: x\nchannels: [chat]\nlanguages: [en]\nstart: a\nsteps:\n  a: { identify: { level: proofed, by: [code_or_video] }, next: { else: end } }\n"
	oneCheck = "check: NAME\nlevel: proofed\nconsent: { version: \"1\", text: { en: May we? } }\nsteps: [ { name: look, face: {} } ]\n"
)

// A step by video takes the folder's one check; of several it has to name one.
func TestWhichCheck(t *testing.T) {
	for name, c := range map[string]struct {
		step   string // instead of the list
		checks []string
		weak   bool
		want   string // of the step
		says   string
	}{
		"no video":              {step: "[code]", want: "", checks: []string{"face", "loans"}, says: "gives verified"},
		"the one there is":      {step: "[video]", checks: []string{"face"}, want: "face"},
		"none":                  {step: "[video]", says: "[unknown-check]: `video` needs an identity check, and there is none"},
		"several":               {step: "[video]", checks: []string{"face", "loans"}, says: "[unknown-check]: the folder has several identity checks, face, loans, and none is named"},
		"one of several":        {step: "[video], check: loans", checks: []string{"face", "loans"}, want: "loans"},
		"one that gives less":   {step: "[video]", checks: []string{"face"}, weak: true, says: "[method-level]: the identity check `face` gives verified, and this step is to give proofed"},
		"one that is not there": {step: "[video], check: face_2", checks: []string{"face"}, says: "[unknown-check]: there is no identity check `face_2`"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"x.flow.yaml": {Data: []byte(strings.Replace(seenFlow, "[code_or_video]", c.step, 1))}}
			for _, n := range c.checks {
				text := strings.Replace(oneCheck, "NAME", n, 1)
				if c.weak {
					text = strings.Replace(text, "proofed", "verified", 1)
				}
				fsys[n+".check.yaml"] = &fstest.MapFile{Data: []byte(text)}
			}
			lib, found := FS(fsys, Options{})
			if c.says != "" {
				if said := shown(found); !strings.Contains(said, c.says) || len(found) != 1 {
					t.Errorf("said\n%s\nwant %s", said, c.says)
				}
				return
			}
			if source.HasErrors(found) || lib == nil {
				t.Fatal(shown(found))
			}
			if got := lib.Flows["x"].Steps["a"].Verb.(*flow.IdentifyStep).Check; got != c.want {
				t.Errorf("it is proved as %q says", got)
			}
		})
	}
}

// A policy is read whole; what it leaves out has the defaults, and the flows that use it
// change with it.
func TestCheckIsComplete(t *testing.T) {
	full := `check: face
level: proofed
grants: 10m
queue: q
officers: { skills: [identity, "lang:en"] }
consent: { version: "7", text: { en: May we?, zh-CN: 可以吗？ } }
steps:
  - { name: code, code: {} }
  - { name: ask, questions: [ { ask: { en: Where?, zh-CN: 哪里？ } }, { name: pet, ask: { en: Who?, zh-CN: 谁？ }, expect: service } ] }
  - { name: front, document: front, text: { en: Here., zh-CN: 这里。 } }
  - { name: look, face: {} }
  - { name: act, request: [look_up, read_number], count: 2 }
  - { name: match, compare: [ { name: same, ask: { en: Same?, zh-CN: 相同吗？ } } ], likeness: advice }
second_officer: true
interruption: 8s
record: true
keep: { evidence: 30d, recording: 90d }
`
	fsys := fstest.MapFS{"x.flow.yaml": {Data: []byte(strings.Replace(seenFlow, "code_or_video", "video", 1))},
		"q.queues.yaml": {Data: []byte("queues: { q: { teams: [t], target: { voice: 20s } } }\nteams: { t: {} }\nagents: { anna: { teams: [t] } }\n")}, "f.check.yaml": {Data: []byte(full)}}
	lib, found := FS(fsys, Options{})
	if lib == nil || len(found) > 0 {
		t.Fatal(shown(found))
	}
	p := lib.Checks["face"]
	const day = 24 * time.Hour
	if p.Level != tandem.Proofed || p.Grants != 10*time.Minute || p.Queue != "q" || len(p.Officers) != 2 || p.Consent.Version != "7" || p.Consent.Text["zh-CN"] != "可以吗？" ||
		!p.SecondOfficer || !p.Record || p.Interruption != 8*time.Second || p.KeepEvidence != 30*day || p.KeepRecording != 90*day || p.Text != full || len(p.Hash) != 64 {
		t.Errorf("%+v", p)
	}
	kinds := ""
	for _, s := range p.Steps {
		kinds += string(s.Kind) + " "
	}
	ask, act, match := p.Step("ask"), p.Step("act"), p.Step("match")
	if kinds != "code questions document face request compare " || p.Step("front").Document != "front" || p.Step("front").Text["en"] != "Here." ||
		ask.Questions[0].Called(0) != "1" || ask.Questions[0].Expect != "free" || ask.Questions[1].Called(1) != "pet" || ask.Questions[1].Expect != "service" ||
		act.Count != 2 || len(act.Requests) != 2 || match.Compare[0].Name != "same" || match.Likeness != "advice" {
		t.Errorf("%s: %+v", kinds, p.Steps)
	}
	before := lib.Flows["x"].Hash
	fsys["f.check.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(oneCheck, "NAME", "face", 1))}
	if lib, found = FS(fsys, Options{}); lib == nil {
		t.Fatal(shown(found))
	}
	p = lib.Checks["face"]
	if p.Grants != flow.CheckGrants || p.Interruption != flow.CheckInterruption || p.SecondOfficer || p.Record || p.KeepEvidence != 0 || p.Officers != nil {
		t.Errorf("the defaults: %+v", p)
	}
	if lib.Flows["x"].Hash == before {
		t.Error("the flow is the same with another check")
	}
}
