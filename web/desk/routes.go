package desk

import (
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"tandem"
	"tandem/store"
	"tandem/store/staff"
	"tandem/web/answer"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// maxBody bounds a request, in bytes: 4,000 characters of four bytes, each escaped.
const maxBody = 64 << 10

// operation is one address of the API and who is let in there; web/api/openapi.yaml says
// the same, and a test compares them.
type operation struct {
	pattern string
	roles   []staff.Role
	scopes  []staff.Scope
	do      func(w http.ResponseWriter, r *http.Request) error
}

// Who is let in. An agent is one by role or by key, and sees what is theirs alone.
func agents() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Agent}, []staff.Scope{staff.ScopeAgent}
}

// readers see the whole line.
func readers() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor, staff.Auditor}, []staff.Scope{staff.ScopeLineRead}
}

// writers change it.
func writers() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor}, []staff.Scope{staff.ScopeLineWrite}
}

// counters see its figures, which name no customer.
func counters() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor, staff.Operator, staff.Auditor}, []staff.Scope{staff.ScopeLineRead}
}

// operators keep keys, and hookers where events are sent to.
func operators() ([]staff.Role, []staff.Scope) { return []staff.Role{staff.Operator}, nil }
func hookers() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Operator}, []staff.Scope{staff.ScopeWebhooks}
}

// listeners hear voicemails, if they do not have them.
func listeners() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor}, []staff.Scope{staff.ScopeAudio}
}

// clerks change tickets that they do not have.
func clerks() ([]staff.Role, []staff.Scope) {
	return []staff.Role{staff.Supervisor}, []staff.Scope{staff.ScopeTickets}
}

// group is who is let in, as the functions above say.
type group func() ([]staff.Role, []staff.Scope)

// holds reports whether a caller is one of a group.
func (g group) holds(c login.Caller) bool {
	roles, scopes := g()
	return c.May(roles, scopes)
}

// operations are all addresses but the socket's.
func (d *Desk) operations() []operation {
	var all []operation
	add := func(pattern string, do func(http.ResponseWriter, *http.Request) error, who ...group) {
		op := operation{pattern: pattern, do: do}
		for _, g := range who {
			roles, scopes := g()
			op.roles, op.scopes = append(op.roles, roles...), append(op.scopes, scopes...)
		}
		all = append(all, op)
	}
	add("GET /api/v1/agent", d.getAgent, agents)
	add("PUT /api/v1/agent/presence", d.putPresence, agents)
	add("PUT /api/v1/agent/alive", d.putAlive, agents)
	add("GET /api/v1/tasks/{id}", d.getTask, agents, readers)
	add("POST /api/v1/tasks/{id}/accept", d.postAccept, agents)
	add("POST /api/v1/tasks/{id}/decline", d.postDecline, agents)
	add("GET /api/v1/tasks/{id}/messages", d.getMessages, agents, readers)
	add("POST /api/v1/tasks/{id}/messages", d.postMessage, agents)
	add("POST /api/v1/tasks/{id}/typing", d.postTyping, agents)
	add("POST /api/v1/tasks/{id}/notes", d.postNote, agents, writers)
	add("POST /api/v1/tasks/{id}/release", d.postRelease, agents)
	add("POST /api/v1/tasks/{id}/hand_back", d.postHandBack, agents)
	add("POST /api/v1/tasks/{id}/transfer", d.postTransfer, agents)
	add("POST /api/v1/tasks/{id}/wrap", d.postWrap, agents)
	add("GET /api/v1/tasks/{id}/audio", d.getAudio, agents, listeners)
	add("GET /api/v1/tasks/{id}/ticket", d.getTicket, agents, readers, clerks)
	add("POST /api/v1/tasks/{id}/ticket", d.postTicket, agents, clerks)
	add("GET /api/v1/queues", d.getQueues, agents, counters)
	add("GET /api/v1/line", d.getLine, readers)
	add("GET /api/v1/tasks/{id}/decisions", d.getDecisions, readers)
	add("GET /api/v1/agents", d.getAgents, counters)
	add("PUT /api/v1/agents/{name}/presence", d.putAgentPresence, writers)
	add("POST /api/v1/agents/{name}/wrap", d.postAgentWrap, writers)
	add("POST /api/v1/tasks/{id}/priority", d.postPriority, writers)
	add("POST /api/v1/tasks/{id}/queue", d.postQueue, writers)
	add("POST /api/v1/tasks/{id}/pull", d.postPull, writers)
	add("POST /api/v1/tasks/{id}/end", d.postEnd, writers)
	add("GET /api/v1/policy", d.getPolicy, counters)
	add("GET /api/v1/interactions", d.getInteractions, readers)
	add("GET /api/v1/interactions/{id}", d.getInteraction, readers)
	add("GET /api/v1/surveys", d.getSurveys, readers, clerks)
	add("GET /api/v1/keys", d.getKeys, operators)
	add("POST /api/v1/keys", d.postKey, operators)
	add("DELETE /api/v1/keys/{id}", d.deleteKey, operators)
	add("GET /api/v1/webhooks", d.getHooks, hookers)
	add("POST /api/v1/webhooks", d.postHook, hookers)
	add("GET /api/v1/webhooks/{id}", d.getHook, hookers)
	add("PUT /api/v1/webhooks/{id}", d.putHook, hookers)
	add("DELETE /api/v1/webhooks/{id}", d.deleteHook, hookers)
	add("PUT /api/v1/webhooks/{id}/active", d.putHookActive, hookers)
	add("POST /api/v1/webhooks/{id}/rotate", d.postRotate, hookers)
	add("GET /api/v1/webhooks/{id}/deliveries", d.getDeliveries, hookers)
	add("POST /api/v1/webhooks/{id}/replay", d.postReplay, hookers)
	return all
}

// Routes adds the desk's addresses, all below /api/v1/.
func (d *Desk) Routes(mux *http.ServeMux) {
	for _, op := range d.operations() {
		mux.Handle(op.pattern, http.MaxBytesHandler(d.o.Door.RequireCaller(d.answered(op.do), op.roles, op.scopes), maxBody))
	}
	mux.Handle("GET "+live.Path, d.o.Door.Greet(d.floor.Handler()))
}

// answered is a handler that answers by itself unless it returns an error. errDone is no
// error: it has refused in words of its own.
func (d *Desk) answered(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil || errors.Is(err, errDone) {
			return
		}
		p, status := problem(err)
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "5")
		}
		if status == http.StatusInternalServerError && r.Context().Err() == nil {
			d.o.Log.Error("a request to the desk failed", "path", r.Pattern, "error", err)
		}
		answer.JSON(w, status, p)
	})
}

var errDone = errors.New("answered")

// codeTooMany is an error's code where somebody asks for too much.
const codeTooMany tandem.Code = "too_many"

// problem is an error as whoever asked sees it.
func problem(err error) (answer.Problem, int) {
	var known *tandem.Error
	switch {
	case errors.As(err, &known) && known.Code != tandem.CodeInternal:
		status, ok := map[tandem.Code]int{live.CodeBad: http.StatusBadRequest, tandem.CodeInvalid: http.StatusUnprocessableEntity, tandem.CodeNotFound: http.StatusNotFound, tandem.CodeConflict: http.StatusConflict,
			tandem.CodeForbidden: http.StatusForbidden, tandem.CodeUnavailable: http.StatusServiceUnavailable, codeTooMany: http.StatusTooManyRequests}[known.Code]
		if !ok {
			break
		}
		return answer.Problem{Code: string(known.Code), Message: sentence(known.Message)}, status
	case errors.Is(err, store.ErrNotFound):
		return answer.Problem{Code: "not_found", Message: "There is no such thing."}, http.StatusNotFound
	case errors.Is(err, store.ErrErased):
		return answer.Problem{Code: "conflict", Message: "The customer's data has been erased."}, http.StatusConflict
	case errors.Is(err, staff.ErrNoKey):
		return answer.Problem{Code: "not_found", Message: "There is no such key, or it is revoked."}, http.StatusNotFound
	case errors.Is(err, store.ErrUnavailable):
		return answer.Problem{Code: "unavailable", Message: "The store does not write now, so nothing was done. Try again soon."}, http.StatusServiceUnavailable
	}
	return answer.Problem{Code: "internal", Message: "Something went wrong here. It has been noted."}, http.StatusInternalServerError
}

// sentence begins with a capital and ends.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	c, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(c)) + text[size:]
	if strings.ContainsAny(text[len(text)-1:], ".!?。") {
		return text
	}
	return text + "."
}

// taskID reads the task of an address.
func taskID(r *http.Request) (tandem.TaskID, error) {
	id := r.PathValue("id")
	if !tandem.ValidID(id) {
		return "", noTask()
	}
	return tandem.TaskID(id), nil
}

// noTask says the same of what is not there and what is none of the caller's business.
func noTask() error { return tandem.Errorf(tandem.CodeNotFound, "you have no such task") }

func invalid(format string, args ...any) error {
	return tandem.Errorf(tandem.CodeInvalid, format, args...)
}

// Bounds of texts, in characters.
const (
	maxText   = 4000
	maxNote   = 2000 // about a ticket
	maxTold   = 1000 // to a customer about their ticket
	maxName   = 100
	maxShort  = 64
	maxReason = 500
)

// text checks what somebody wrote for people: some text, in lines, without the characters
// that make it look like something else.
func text(s, what string, most int) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	switch {
	case s == "":
		return "", invalid("%s is empty", what)
	case utf8.RuneCountInString(s) > most:
		return "", invalid("%s is longer than %d characters", what, most)
	case strings.ContainsFunc(s, func(c rune) bool { return c != '\n' && c != '\t' && forbidden(c) }):
		return "", invalid("%s has characters that cannot be shown", what)
	}
	return s, nil
}

// word checks a name or a few words in one line; "" is fine.
func word(s, what string, most int) (string, error) {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > most || strings.ContainsFunc(s, forbidden) {
		return "", invalid("%s has at most %d characters, in one line", what, most)
	}
	return s, nil
}

// forbidden are controls, what turns the direction of writing, and what was no character.
func forbidden(c rune) bool {
	return unicode.IsControl(c) || (c >= '\u202a' && c <= '\u202e') || (c >= '\u2066' && c <= '\u2069') || c == utf8.RuneError
}

// clientID checks the id that a client gives what it sends: of the characters of base64url.
func clientID(s string) error {
	if !view.ClientID(s) {
		return invalid("your id of it has 1 to 64 characters of A-Z a-z 0-9 - _")
	}
	return nil
}
