// Package studio is the Studio part of the staff API: the flows with their pictures,
// counts and past interactions, drafts that are checked while they are written, and
// publishing. It decides who may publish what; internal/shelf does it.
//
// It runs no goroutine of its own: streams of events run on those of their requests,
// and Close ends them. It never answers anybody whom the Door has not let through, and
// keeps no draft.
package studio

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tandem"
	"tandem/internal/shelf"
	"tandem/internal/tally"
	"tandem/ivr/flow"
	"tandem/ivr/flow/picture"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store"
	"tandem/store/release"
	"tandem/store/staff"
	"tandem/web/answer"
)

const (
	testTime = 20 * time.Second // a run of tests; the cases that are left fail
	// maxBody bounds a request: a file whose every byte is escaped as two, and what stands
	// around it. In bytes.
	maxBody = 2*shelf.MaxBytes + 64<<10
	// maxWork is how many drafts are looked at or tested at a time: calls need the
	// processors too. More wait.
	maxWork = 2
	maxNote = 2000 // bytes of a note or a reason
)

// Door is who lets staff in; web/login has it.
type Door interface {
	// Require lets only users with one of the roles through.
	Require(h http.Handler, roles ...staff.Role) http.Handler
	// Still reports whether the user of a request is still let through.
	Still(ctx context.Context, roles ...staff.Role) bool
	// Record writes to the audit log what the user of a request does; it is durable then.
	Record(ctx context.Context, action, object, detail string) error
}

// Shelf is the flows folder; internal/shelf has it.
type Shelf interface {
	State() shelf.State
	Options() read.Options
	Files() ([]shelf.File, error)
	Text(name string) ([]byte, error)
	FileOf(lib *flow.Library, name string) string
	Library(ctx context.Context, name, hash string) (*flow.Library, error)
	Old(ctx context.Context, name, hash string) (lib *flow.Library, file string, text []byte, err error)
	Overlay(file string, text []byte) (*flow.Library, []source.Diagnostic)
	Partial(file string, text []byte) (*flow.Library, *flow.Flow, []source.Diagnostic)
	CheckEdit(e shelf.Edit) (before []byte, err error)
	Publish(ctx context.Context, e shelf.Edit) (release.Release, error)
}

var _ Shelf = (*shelf.Shelf)(nil)

// Releases is what is kept of the folder, and what is proposed; store/release has it.
type Releases interface {
	Versions(ctx context.Context, flow string, n int) ([]release.Version, error)
	Propose(ctx context.Context, p release.Proposal, text, base []byte) (release.Proposal, error)
	Proposals(ctx context.Context, n int) ([]release.Proposal, error)
	Proposal(ctx context.Context, id int) (p release.Proposal, text, base []byte, err error)
	Refuse(ctx context.Context, id int, by, why string) error
}

var _ Releases = (*release.Store)(nil)

// Journal is what happened; store/sqlite has it.
type Journal interface {
	List(ctx context.Context, f store.Filter) ([]store.Summary, error)
	Interaction(ctx context.Context, ref string) (store.Story, error)
}

// Options is what a Studio is made of.
type Options struct {
	Door     Door
	Who      func(context.Context) staff.User // makes the request
	Shelf    Shelf
	Releases Releases
	Journal  Journal
	// Counts sums what happened in a flow in the span that ends now.
	Counts       func(flow string, span time.Duration) tally.Counts
	Entries      func() map[string][]string // names of entries, by the flow they lead to
	SecondPerson bool                       // nobody publishes what they proposed themselves
	Log          *slog.Logger
	Now          func() time.Time // time.Now if nil
}

// Studio answers. Its methods are safe from any goroutine.
type Studio struct {
	o      Options
	events *events
	work   chan struct{}
	style  string
}

// New makes a Studio.
func New(o Options) *Studio {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Studio{o: o, events: newEvents(), work: make(chan struct{}, maxWork), style: picture.Style()}
}

// Close ends all streams of events, so that the door can be shut. New ones end at once.
func (s *Studio) Close() { s.events.close() }

// Changed tells all streams that the folder was read anew. It does not wait.
func (s *Studio) Changed(st shelf.State) {
	s.events.send(event{"flows", struct {
		Number  int      `json:"number"`
		Changed []string `json:"changed"`
	}{st.Release.Number, append([]string{}, st.Changed...)}})
}

// Routes adds the addresses below /api/v1 that are the studio's.
func (s *Studio) Routes(mux *http.ServeMux) {
	look := lookers()
	change := []staff.Role{staff.Designer}
	add := func(roles []staff.Role, pattern string, h func(http.ResponseWriter, *http.Request) error) {
		mux.Handle(pattern, http.MaxBytesHandler(s.o.Door.Require(s.answered(h), roles...), maxBody))
	}
	add(look, "GET /api/v1/flows", s.getFlows)
	add(look, "GET /api/v1/files/{file...}", s.getFile)
	add(look, "GET /api/v1/flows/{name}/picture", s.getPicture)
	add(look, "GET /api/v1/flows/{name}/versions", s.getVersions)
	add(look, "GET /api/v1/flows/{name}/difference", s.getDifference)
	add(look, "GET /api/v1/flows/{name}/interactions", s.getInteractions)
	add(look, "GET /api/v1/interactions/{id}/path", s.getPath)
	add(look, "GET /api/v1/proposals", s.getProposals)
	add(look, "GET /api/v1/proposals/{id}", s.getProposal)
	add(look, "GET /api/v1/events", s.getEvents)
	add(look, "POST /api/v1/check", s.postCheck)
	add(look, "POST /api/v1/test", s.postTest)
	add(change, "POST /api/v1/complete", s.postComplete)
	add(change, "POST /api/v1/format", s.postFormat)
	add(change, "POST /api/v1/proposals", s.postProposal)
	add(change, "POST /api/v1/proposals/{id}/publish", s.postPublish)
	add(change, "POST /api/v1/proposals/{id}/refuse", s.postRefuse)
	add(change, "POST /api/v1/flows/{name}/rollback", s.postRollback)
	mux.HandleFunc("GET /api/v1/picture.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write([]byte(s.style)) // a browser that left is none of ours to mend
	})
}

// lookers are the roles that may see what the studio shows.
func lookers() []staff.Role {
	return []staff.Role{staff.Designer, staff.Supervisor, staff.Operator, staff.Auditor}
}

// answered is a handler that answers by itself unless it returns an error. errDone is
// no error: it has refused in words of its own.
func (s *Studio) answered(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil && !errors.Is(err, errDone) {
			s.fail(w, r, err)
		}
	})
}

var errDone = errors.New("answered")

// problem is an error answer with what a page shows beside it.
type problem struct {
	answer.Problem
	Diagnostics []diagnostic `json:"diagnostics,omitempty"`
	Line        int          `json:"line,omitempty"`
	Column      int          `json:"column,omitempty"`
}

// fail answers an error.
func (s *Studio) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refused *shelf.Refused
	if errors.As(err, &refused) {
		answer.JSON(w, http.StatusUnprocessableEntity, problem{
			Problem: answer.Problem{Code: "errors", Message: "The flows would have mistakes with this."}, Diagnostics: diagnostics(refused.Found, s.language(r, "")),
		})
		return
	}
	var known *tandem.Error
	if errors.As(err, &known) && known.Code != tandem.CodeInternal {
		if known.Code == tandem.CodeUnavailable {
			s.o.Log.Error("the studio could not do what was asked", "path", r.URL.Path, "error", err)
		}
		answer.Refuse(w, statusOf(known.Code), string(known.Code), sentence(known.Message))
		return
	}
	if errors.Is(err, store.ErrUnavailable) {
		w.Header().Set("Retry-After", "5")
		answer.Refuse(w, http.StatusServiceUnavailable, "unavailable", "The store does not write now, so nothing was changed or shown. Try again soon.")
		return
	}
	if r.Context().Err() == nil {
		s.o.Log.Error("a request to the studio failed", "path", r.URL.Path, "error", err)
	}
	answer.Refuse(w, http.StatusInternalServerError, "internal", "Something went wrong here. It has been noted.")
}

func statusOf(code tandem.Code) int {
	switch code {
	case tandem.CodeInvalid:
		return http.StatusBadRequest
	case tandem.CodeNotFound:
		return http.StatusNotFound
	case tandem.CodeConflict:
		return http.StatusConflict
	case tandem.CodeForbidden:
		return http.StatusForbidden
	case tandem.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// sentence begins with a capital, unless its first word is a file's name, and ends.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first, rest, _ := strings.Cut(text, " ")
	if c, size := utf8.DecodeRuneInString(first); rest != "" && !strings.ContainsAny(first, "._") {
		text = string(unicode.ToUpper(c)) + text[size:]
	}
	if strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// enter waits for a place to work at; leave gives it back.
func (s *Studio) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.work <- struct{}{}:
		return func() { <-s.work }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// diagnostic is one as pages see it: with the line in question.
type diagnostic struct {
	source.Diagnostic
	Snippet string `json:"snippet"`
	Width   int    `json:"width"`
	About   string `json:"about,omitempty"` // what its rule means, for pages in another language than the message's
}

func diagnostics(found []source.Diagnostic, language string) []diagnostic {
	chinese := strings.HasPrefix(strings.ToLower(language), "zh")
	out := make([]diagnostic, len(found))
	for i, d := range found {
		out[i] = diagnostic{Diagnostic: d, Snippet: d.Snippet, Width: d.Width}
		if chinese {
			rule, _ := source.RuleByID(d.Rule)
			out[i].About = rule.WhenZH
		}
	}
	return out
}

// language is that of the page: as asked for, as its user chose, or as the browser has it.
func (s *Studio) language(r *http.Request, asked string) string {
	return cmp.Or(asked, r.URL.Query().Get("lang"), s.o.Who(r.Context()).Lang, r.Header.Get("Accept-Language"))
}

// of keeps the diagnostics of one file.
func of(file string, found []source.Diagnostic) []source.Diagnostic {
	var out []source.Diagnostic
	for _, d := range found {
		if d.File == file {
			out = append(out, d)
		}
	}
	return out
}

func errorsAndWarnings(found []source.Diagnostic) (errors, warnings int) {
	for _, d := range found {
		if d.Severity == source.Error {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}
