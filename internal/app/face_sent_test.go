package app

import (
	"slices"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	desklive "tandem/web/desk/live"
	"tandem/web/desk/view"
)

// An agent who asks a caller for pictures sees that the link is sent and not opened yet, also on
// a page that is opened later, and takes it back: it opens nothing then, and another can be sent.
func TestALinkOfAPageIsSentAndTakenBack(t *testing.T) {
	t.Parallel()
	p := newProofLine(t, proofSetup{})
	c, is := p.rings(t, customer)
	p.comes(t, c)
	p.doubts(t, c, is)
	task := p.place(t, c.id, tandem.TaskCall)
	faces := staffFaces{p.App}
	var (
		mu   sync.Mutex
		told []string
	)
	stop := faces.WatchUpgrades(func(u view.Upgrade) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, u.State)
	})
	t.Cleanup(stop)
	ask := desklive.UpgradeOrder{Do: "ask", Level: tandem.LevelVideo, Why: "see"}
	u, err := faces.Upgrade(t.Context(), "ella", task, ask)
	if err != nil || u.State != "sent" || !u.Pictures {
		t.Fatalf("%+v, %v", u, err)
	}
	if all := faces.Upgrades(); len(all) != 1 || all[0].State != "sent" || all[0].By != "ella" || all[0].Interaction != c.id || !all[0].Until.After(time.Now()) {
		t.Errorf("a page that comes later is told %+v", all)
	}
	first := address(t, p.texts.Inbox(customer).Gets("show things to our colleague").Text)
	if _, err := faces.Upgrade(t.Context(), "ella", task, desklive.UpgradeOrder{Do: "end"}); err != nil {
		t.Fatal(err)
	}
	if all := faces.Upgrades(); len(all) != 0 {
		t.Errorf("taken back, there is %+v", all)
	}
	if b := testkit.NewBrowser(t).Get(first); b.TrySend("", nil) == nil && handoffData.MatchString(b.Page) {
		t.Errorf("a link that was taken back still opens: status %d\n%s", b.Status, b.Words())
	}
	if _, err := faces.Upgrade(t.Context(), "ella", task, desklive.UpgradeOrder{Do: "end"}); tandem.CodeOf(err) == "" {
		t.Error("what is not there is taken back")
	}
	if _, err := faces.Upgrade(t.Context(), "ella", task, ask); err != nil {
		t.Fatal(err)
	}
	again := address(t, p.texts.Inbox(customer).Gets("show things to our colleague").Text)
	if again == first {
		t.Error("the old link is sent again")
	}
	if b := testkit.NewBrowser(t).Get(again); b.TrySend("", nil) != nil {
		t.Fatalf("the new link does not open: status %d\n%s", b.Status, b.Words())
	}
	until(t, "the customer to be asked on the page", func() bool {
		return slices.ContainsFunc(faces.Upgrades(), func(u view.Upgrade) bool { return u.State == "asked" && u.Interaction == c.id })
	})
	stop()
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"sent", "withdrawn", "sent", "asked"}; !slices.Equal(slices.Compact(told), want) {
		t.Errorf("ella is told %v", told)
	}
}
