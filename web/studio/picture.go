package studio

import (
	"net/http"
	"slices"
	"time"

	"tandem"
	"tandem/internal/tally"
	"tandem/ivr/flow"
	"tandem/ivr/flow/picture"
	"tandem/ivr/flow/source"
	"tandem/store/release"
	"tandem/web/answer"
)

// maxVersions is how many versions of a flow are listed.
const maxVersions = 200

// drawn is the answer of GET picture.
type drawn struct {
	Picture string   `json:"picture"`
	Hash    string   `json:"hash"`  // of the version that is drawn
	Other   bool     `json:"other"` // another version than the one asked for, which is not stored
	Counts  *counted `json:"counts,omitempty"`
	Path    []taken  `json:"path,omitempty"`
}

// counted is what the numbers on a picture are of.
type counted struct {
	Entered int       `json:"entered"` // times the flow was begun
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
}

// getPicture draws a flow: with counts, or with the path of an interaction, which is
// written to the audit log before.
func (s *Studio) getPicture(w http.ResponseWriter, r *http.Request) error {
	name, q := r.PathValue("name"), r.URL.Query()
	st := s.o.Shelf.State()
	o := picture.Options{Lang: q.Get("lang"), ID: "flow"}
	out := drawn{}
	version := q.Get("version")
	if id := q.Get("interaction"); id != "" {
		story, err := s.look(r.Context(), id)
		if err != nil {
			return err
		}
		out.Path = pathOf(story, name)
		for _, t := range out.Path {
			o.Path = append(o.Path, picture.Taken{Step: t.Step, Outcome: t.Outcome})
		}
		if version == "" && story.Interaction.Flow == name {
			version = story.Interaction.FlowHash
		}
	}
	lib := st.Library
	if version != "" {
		old, err := s.o.Shelf.Library(r.Context(), name, version)
		switch {
		case err == nil:
			lib = old
		case tandem.CodeOf(err) == tandem.CodeInternal:
			return err
		default:
			out.Other = true
		}
	}
	f := lib.Flows[name]
	if f == nil {
		return noFlow(name)
	}
	out.Hash = f.Hash
	if span := q.Get("span"); span != "" {
		d, err := since(span)
		if err != nil {
			return err
		}
		c := s.o.Counts(name, d)
		o.Counts = counts(f, c)
		out.Counts = &counted{c.Started, c.From, c.Until}
	}
	if now := st.Library.Flows[name]; now != nil && now.Hash == f.Hash && !st.Refused {
		o.Diagnostics = of(s.o.Shelf.FileOf(st.Library, name), st.Found)
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	out.Picture = string(picture.Draw(lib, f, o))
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func noFlow(name string) error {
	return tandem.Errorf(tandem.CodeNotFound, "there is no flow %s", name)
}

// counts keeps what is counted of steps and edges that a version of a flow has, of
// whatever version it was counted. A hang-up goes by the outcome "left", unless that is
// one of the step's own.
func counts(f *flow.Flow, c tally.Counts) *picture.Counts {
	out := &picture.Counts{Steps: map[string]int{}, Edges: map[[2]string]int{}, Left: map[string]int{}}
	for name, step := range f.Steps {
		if n := c.Steps[name]; n > 0 {
			out.Steps[name] = n
		}
		own := false
		for _, e := range step.Edges() {
			for _, outcome := range e.Outcomes {
				own = own || outcome == "left"
				if n := c.Edges[[2]string{name, outcome}]; n > 0 {
					out.Edges[[2]string{name, outcome}] = n
				}
			}
		}
		if n := c.Edges[[2]string{name, "left"}]; n > 0 && !own {
			out.Left[name] = n
		}
	}
	return out
}

// versionView is a version of a flow as it came into use.
type versionView struct {
	Hash    string    `json:"hash"`
	Number  int       `json:"number"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Note    string    `json:"note"`
	Current bool      `json:"current"`
}

func (s *Studio) getVersions(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	versions, err := s.o.Releases.Versions(r.Context(), name, maxVersions)
	if err != nil {
		return err
	}
	now := s.o.Shelf.State().Library.Flows[name]
	if now == nil && len(versions) == 0 {
		return noFlow(name)
	}
	out := make([]versionView, len(versions))
	for i, v := range versions {
		out[i] = versionView{v.Flow, v.Number, v.At, v.By, v.Note, i == 0 && now != nil && now.Hash == v.Flow}
	}
	answer.JSON(w, http.StatusOK, struct {
		Versions []versionView `json:"versions"`
	}{out})
	return nil
}

// difference is what changed between two texts of a flow's file.
type difference struct {
	Picture string `json:"picture"` // "" where neither is a flow
	Text    []line `json:"text"`
}

// getDifference compares two versions; without to, from with the one that serves.
func (s *Studio) getDifference(w http.ResponseWriter, r *http.Request) error {
	name, q := r.PathValue("name"), r.URL.Query()
	to := q.Get("to")
	if to == "" {
		f := s.o.Shelf.State().Library.Flows[name]
		if f == nil {
			return noFlow(name)
		}
		to = f.Hash
	}
	var flows [2]*flow.Flow
	var texts [2][]byte
	for i, hash := range []string{q.Get("from"), to} {
		lib, _, text, err := s.o.Shelf.Old(r.Context(), name, hash)
		if err != nil {
			return err
		}
		flows[i], texts[i] = lib.Flows[name], text
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	answer.JSON(w, http.StatusOK, difference{
		Picture: string(picture.Difference(flows[0], flows[1], picture.Options{Lang: q.Get("lang"), ID: "difference"})), Text: lines(texts[0], texts[1]),
	})
	return nil
}

// compare is the difference that a proposal makes, and what is wrong with it.
func (s *Studio) compare(p release.Proposal, text, base []byte, lang string) (difference, []source.Diagnostic) {
	_, now, found := s.read(p.File, text)
	out := difference{Text: lines(base, text)}
	var before *flow.Flow
	if base != nil {
		_, before, _ = s.o.Shelf.Partial(p.File, base)
	}
	if now != nil || before != nil {
		out.Picture = string(picture.Difference(before, now, picture.Options{Lang: lang, ID: "difference"}))
	}
	return out, slices.Clip(s.concerning(p.File, found))
}
