package interop

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

// said is a score from which a recording counts as heard.
const said = 0.75

// clip reads one of the sample's English recordings; "words/NAME" is one that all share.
func clip(t *testing.T, name string) []int16 {
	t.Helper()
	if !strings.Contains(name, "/") {
		name = "hotline/" + name
	}
	pcm, err := testkit.ReadWAV(filepath.Join("..", "flows", "prompts", "en", name+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

// hears waits until a recording of the sample was heard whole, somewhere after a
// time of what the phone heard, and returns how much it has heard by then.
func hears(t *testing.T, p *testkit.Phone, after time.Duration, name string) time.Duration {
	t.Helper()
	want := clip(t, name)
	look := time.NewTicker(300 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(20 * time.Second)
	var best testkit.Found
	for {
		heard := p.Heard()
		if from := int(after * testkit.Rate / time.Second); from < len(heard) {
			if f := testkit.Find(heard[from:], want); f.Score > best.Score {
				best = f
			}
		}
		if best.Score >= said {
			return testkit.Length(heard)
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%s.wav was not heard: the best place is %+v of %v", name, best, testkit.Length(heard))
		}
	}
}

// TestHotline has a real phone call the sample hotline of the demo: it hears the
// greeting, proves who it is, hears its balance, leaves a message, and the journal
// tells it all.
func TestHotline(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "baresip")
	if testing.Short() {
		t.Skip("SKIP: needs a server, and -short starts none")
	}
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s := testkit.NewDemo(t, binary)
	message := clip(t, "how_to") // what the caller says: any speech will do
	who := caller()
	p := testkit.NewPhone(t, testkit.PhoneOptions{Name: who, Says: message})
	p.Dial("95599", s.SIP)

	at := hears(t, p, 0, "pick_language")
	p.Type("1")
	at = hears(t, p, at, "hello")
	at = hears(t, p, at, "pick")
	p.Type("1")
	at = hears(t, p, at, "ask_account")
	p.Type("100001")
	at = hears(t, p, at, "confirm_account-2")
	p.Type("1")
	at = hears(t, p, at, "ask_pin")
	p.Type("2468")
	from := at
	at = hears(t, p, at, "pick") // after the balance
	balance(t, p.Heard()[from*testkit.Rate/time.Second:])
	p.Type("3")
	hears(t, p, at, "leave_message")
	speak := time.NewTimer(testkit.Length(message) + 2*time.Second) // all of it, whatever part it is at now
	<-speak.C
	p.Hangup()

	story := s.Closed(t, soon, who)
	count := testkit.Kinds(story)
	if count[tandem.EventVoicemail] != 1 || count[tandem.EventHTTP] < 2 || count[tandem.EventPrompt] < 6 {
		t.Errorf("the story has %v", count)
	}
	for _, e := range story.Events {
		if strings.Contains(string(e.Data), "2468") {
			t.Errorf("the PIN is in event %d, %s", e.Seq, e.Kind)
		}
	}
	s.Verify(t)
	playsBack(t, s, string(story.Interaction.ID), message)
	if out, _, status := s.Command(t, "interactions", "show", string(story.Interaction.Number)); status != 0 || !strings.Contains(out, "balance") {
		t.Errorf("interactions show by its spoken number: status %d\n%s", status, out)
	}
	if strings.Contains(s.Log(), "2468") {
		t.Error("the PIN is in the log")
	}
}

// balance looks for the words of 12345.60 yuan after "Your balance is".
func balance(t *testing.T, heard []int16) {
	t.Helper()
	words := []string{"balance_is-1", "words/twelve", "words/thousand", "words/three", "words/hundred", "words/forty", "words/five", "words/yuan"}
	var clips [][]int16
	for _, w := range words {
		clips = append(clips, clip(t, w))
	}
	for i, f := range testkit.FindInOrder(heard, clips...) {
		if f.Score < said {
			t.Errorf("%q was not heard in its place: %+v", words[i], f)
		}
	}
}

// playsBack exports what was recorded and looks for the words in it.
func playsBack(t *testing.T, s *testkit.Server, id string, words []int16) {
	t.Helper()
	dir := t.TempDir()
	if _, errs, status := s.Command(t, "interactions", "export", id, "--out", dir, "--why", "a test of the message"); status != 0 {
		t.Fatalf("interactions export: status %d: %s", status, errs)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.wav"))
	if len(files) != 1 {
		t.Fatalf("exported %v, want one WAV file", files)
	}
	pcm, err := testkit.ReadWAV(files[0])
	if err != nil {
		t.Fatal(err)
	}
	// The phone says its words over and over; the message begins anywhere in them.
	half := words[len(words)/4 : len(words)*3/4]
	if f := testkit.Find(pcm, half); f.Score < said {
		t.Errorf("the message of %v does not say what the caller said: %+v", testkit.Length(pcm), f)
	}
	if opened := testkit.Kinds(s.Story(t, id))[tandem.EventBlobOpened]; opened != 1 {
		t.Errorf("%d audit events for one listening", opened)
	}
}
