package studio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"tandem/store/release"
)

func TestVersionsAndRollback(t *testing.T) {
	one, two := flowText("a", "One"), flowText("a", "Two")
	b := newBench(t, false, "a.flow.yaml", one)
	first := b.shelf.Current().Flows["a"].Hash
	var p proposed
	if status := b.do(designer, "proposals", object{"file": "a.flow.yaml", "text": two, "base": hashOf(one), "note": "kinder"}, &p); status != 200 || p.State != release.StatePublished || p.Number != 2 {
		t.Fatalf("%d %+v", status, p)
	}
	var v struct{ Versions []versionView }
	if b.do("x auditor", "flows/a/versions", nil, &v); len(v.Versions) != 2 || v.Versions[0].By != "li" || v.Versions[0].Note != "kinder" || !v.Versions[0].Current || v.Versions[1].Hash != first || v.Versions[1].Current {
		t.Fatalf("versions %+v", v)
	}
	var d difference
	if status := b.do("x auditor", "flows/a/difference?from="+first+"&to="+v.Versions[0].Hash, nil, &d); status != 200 || !strings.Contains(d.Picture, "<svg") {
		t.Errorf("%d", status)
	}
	var changed []string
	for _, l := range d.Text {
		if l.Op != " " {
			changed = append(changed, l.Op+l.Line)
		}
	}
	if !slices.Equal(changed, []string{`-prompts: { greeting: { en: "One" } }`, `+prompts: { greeting: { en: "Two" } }`}) || len(d.Text) != strings.Count(one, "\n")+1 {
		t.Errorf("changed %q", changed)
	}
	b.door.said("")
	if status := b.do(designer, "flows/a/rollback", object{"hash": first, "note": "back"}, &p); status != 200 || p.Number != 3 || b.onDisk("a.flow.yaml") != one {
		t.Errorf("%d %+v", status, p)
	}
	if !b.door.said("li flow.rollback a.flow.yaml " + hashOf(two) + " -> " + hashOf(one)) {
		t.Error("the audit log does not have it")
	}
	if b.shelf.Current().Flows["a"].Hash != first {
		t.Error("the old version does not serve")
	}
	for what, tc := range map[string]struct {
		hash   string
		status int
	}{"to what is there": {first, 400}, "to what never was": {"feed", 404}} {
		if status := b.do(designer, "flows/a/rollback", object{"hash": tc.hash}, nil); status != tc.status {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status := b.do(designer, "flows/none/versions", nil, nil); status != 404 {
		t.Errorf("versions of nothing: %d", status)
	}
}

func TestSecondPerson(t *testing.T) {
	one, two := flowText("a", "One"), flowText("a", "Two")
	b := newBench(t, true, "a.flow.yaml", one)
	propose := func(user, text string) (p proposed) {
		t.Helper()
		if status := b.do(user, "proposals", object{"file": "a.flow.yaml", "text": text, "base": hashOf(b.onDisk("a.flow.yaml")), "note": "n"}, &p); status != 200 || p.State != release.StateOpen || p.Number != 0 {
			t.Fatalf("%d %+v", status, p)
		}
		return p
	}
	p := propose(designer, two)
	if b.onDisk("a.flow.yaml") != one || !b.door.said("li flow.propose a.flow.yaml") {
		t.Error("published, or not in the audit log")
	}
	var e refusedWith
	if status := b.do(designer, "proposals/"+p.ID+"/publish", object{}, &e); status != 403 || e.Code != "same_person" || b.onDisk("a.flow.yaml") != one {
		t.Errorf("the author publishes: %d %+v", status, e)
	}
	var detail struct {
		proposalView
		Text        string
		Diagnostics []diagnostic
		Difference  difference
	}
	if status := b.do("x auditor", "proposals/"+p.ID, nil, &detail); status != 200 || detail.By != "li" || detail.Flow != "a" || detail.Text != two || len(detail.Diagnostics) != 0 || !strings.Contains(detail.Difference.Picture, "<svg") || len(detail.Difference.Text) == 0 {
		t.Errorf("%d %+v", status, detail.proposalView)
	}
	var out proposed
	if status := b.do(second, "proposals/"+p.ID+"/publish", object{}, &out); status != 200 || out.State != release.StatePublished || out.Number != 2 || b.onDisk("a.flow.yaml") != two {
		t.Errorf("somebody else publishes: %d %+v", status, out)
	}
	if !b.door.said("wang flow.publish a.flow.yaml proposal "+p.ID+" by li: "+hashOf(one)) || b.shelf.State().Release.By != "li" {
		t.Errorf("audit log, or release by %s", b.shelf.State().Release.By)
	}
	for _, what := range []string{"publish", "refuse"} {
		body := object{}
		if what == "refuse" {
			body["why"] = "late"
		}
		if status := b.do(second, "proposals/"+p.ID+"/"+what, body, &e); status != 409 || e.Code != "conflict" {
			t.Errorf("%s again: %d %+v", what, status, e)
		}
	}
	q := propose(designer, one)
	if status := b.do(second, "proposals/"+q.ID+"/refuse", object{"why": "no"}, &out); status != 200 || !b.door.said("wang flow.refuse a.flow.yaml proposal "+q.ID) {
		t.Errorf("refused: %d", status)
	}
	var list struct{ Proposals []proposalView }
	if b.do("x operator", "proposals", nil, &list); len(list.Proposals) != 2 || list.Proposals[0].ID != q.ID || list.Proposals[0].State != release.StateRefused || list.Proposals[0].Why != "no" || list.Proposals[0].DecidedBy != "wang" || list.Proposals[0].DecidedAt == nil {
		t.Errorf("listed %+v", list)
	}
	// The file changes under an open proposal: it no longer fits.
	r := propose(designer, flowText("a", "Three"))
	b.save("a.flow.yaml", flowText("a", "By hand"))
	b.reload()
	if status := b.do(second, "proposals/"+r.ID+"/publish", object{}, &e); status != 409 || e.Code != "conflict" || b.onDisk("a.flow.yaml") != flowText("a", "By hand") {
		t.Errorf("on a changed file: %d %+v", status, e)
	}
	for _, id := range []string{"99", "x", "-1"} {
		if status := b.do(second, "proposals/"+id+"/publish", object{}, nil); status != 404 {
			t.Errorf("proposal %s: %d", id, status)
		}
	}
}

func TestProposalsThatAreRefused(t *testing.T) {
	one, two := flowText("a", "One"), flowText("a", "Two")
	b := newBench(t, false, "a.flow.yaml", one)
	for what, tc := range map[string]struct {
		body   object
		status int
		code   string
	}{
		"conflict":     {object{"file": "a.flow.yaml", "text": two, "base": hashOf("x")}, 409, "conflict"},
		"there is one": {object{"file": "a.flow.yaml", "text": two, "base": ""}, 409, "conflict"},
		"mistakes":     {object{"file": "a.flow.yaml", "text": "flow: a\n", "base": hashOf(one)}, 422, "errors"},
		"bad tests":    {object{"file": "a.test.yaml", "text": "flow: a\ntests: [ { name: x, scrip: [] } ]\n"}, 422, "errors"},
		"traversal":    {object{"file": "../b.flow.yaml", "text": two}, 400, "invalid"},
		"a folder":     {object{"file": "x/b.flow.yaml", "text": two}, 400, "invalid"},
		"an unknown":   {object{"file": "b.flow.yaml", "text": two, "why": "x"}, 400, "invalid"},
		"a long note":  {object{"file": "a.flow.yaml", "text": two, "base": hashOf(one), "note": strings.Repeat("x", maxNote+1)}, 400, "invalid"},
	} {
		var e refusedWith
		if status := b.do(designer, "proposals", tc.body, &e); status != tc.status || e.Code != tc.code || (tc.status == 422) != (len(e.Diagnostics) > 0) {
			t.Errorf("%s: %d %+v", what, status, e)
		}
	}
	b.door.fail(errors.New("the audit log is full"))
	if status := b.do(designer, "proposals", object{"file": "a.flow.yaml", "text": two, "base": hashOf(one)}, nil); status != 500 {
		t.Errorf("unaudited: %d", status)
	}
	b.door.fail(nil)
	var list struct{ Proposals []proposalView }
	if b.do(designer, "proposals", nil, &list); len(list.Proposals) != 0 || b.onDisk("a.flow.yaml") != one {
		t.Errorf("something was kept: %+v", list)
	}
	// Two from the same text at once: one is published.
	var wg sync.WaitGroup
	status := make([]int, 6)
	for i := range status {
		wg.Go(func() {
			status[i] = b.do(designer, "proposals", object{"file": "a.flow.yaml", "text": flowText("a", fmt.Sprint("By ", i)), "base": hashOf(one)}, nil)
		})
	}
	wg.Wait()
	slices.Sort(status)
	if !slices.Equal(status, []int{200, 409, 409, 409, 409, 409}) {
		t.Errorf("at once: %v", status)
	}
	if b.do(designer, "proposals", nil, &list); slices.ContainsFunc(list.Proposals, func(p proposalView) bool { return p.State == release.StateOpen }) {
		t.Errorf("left open: %+v", list)
	}
}
