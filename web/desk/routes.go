package desk

import (
	"errors"
	"net/http"

	"tandem"
	"tandem/store/staff"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/live"
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

// operations are all addresses but the socket's.
func (d *Desk) operations() []operation {
	var all []operation
	add := func(pattern string, do func(http.ResponseWriter, *http.Request) error, who ...duty.Group) {
		op := operation{pattern: pattern, do: do}
		for _, g := range who {
			roles, scopes := g()
			op.roles, op.scopes = append(op.roles, roles...), append(op.scopes, scopes...)
		}
		all = append(all, op)
	}
	add("GET /api/v1/agent", d.getAgent, duty.Agents)
	add("PUT /api/v1/agent/presence", d.putPresence, duty.Agents)
	add("PUT /api/v1/agent/alive", d.putAlive, duty.Agents)
	add("GET /api/v1/tasks/{id}", d.getTask, duty.Agents, duty.Readers)
	add("POST /api/v1/tasks/{id}/accept", d.postAccept, duty.Agents)
	add("POST /api/v1/tasks/{id}/decline", d.postDecline, duty.Agents)
	add("GET /api/v1/tasks/{id}/messages", d.getMessages, duty.Agents, duty.Readers)
	add("POST /api/v1/tasks/{id}/messages", d.postMessage, duty.Agents, duty.Overseers)
	add("POST /api/v1/tasks/{id}/typing", d.postTyping, duty.Agents)
	add("POST /api/v1/tasks/{id}/notes", d.postNote, duty.Agents, duty.Writers)
	add("POST /api/v1/tasks/{id}/release", d.postRelease, duty.Agents)
	add("POST /api/v1/tasks/{id}/hand_back", d.postHandBack, duty.Agents)
	add("POST /api/v1/tasks/{id}/transfer", d.postTransfer, duty.Agents)
	add("POST /api/v1/tasks/{id}/wrap", d.postWrap, duty.Agents)
	add("GET /api/v1/tasks/{id}/audio", d.getAudio, duty.Agents, duty.Listeners)
	add("GET /api/v1/tasks/{id}/ticket", d.getTicket, duty.Agents, duty.Readers, duty.Clerks)
	add("POST /api/v1/tasks/{id}/ticket", d.postTicket, duty.Agents, duty.Clerks)
	add("POST /api/v1/tasks/{id}/call", d.postCall, duty.Agents, duty.Overseers)
	add("GET /api/v1/tasks/{id}/talk", d.getTalk, duty.Agents, duty.Readers)
	add("POST /api/v1/interactions/{id}/call", d.postListen, duty.Overseers)
	add("POST /api/v1/invites/{id}", d.postInvite, duty.Agents)
	add("POST /api/v1/calls", d.postPlace, duty.Agents)
	add("GET /api/v1/voice/servers", d.getServers, duty.Speakers)
	add("GET /api/v1/tasks/{id}/customer", d.getCustomer, duty.Agents, duty.Readers)
	add("GET /api/v1/tasks/{id}/nodes", d.getNodes, duty.Agents)
	add("GET /api/v1/tasks/{id}/replies", d.getReplies, duty.Agents)
	add("GET /api/v1/tasks/{id}/operations", d.getOperations, duty.Agents)
	add("GET /api/v1/tasks/{id}/links", d.getLinks, duty.Agents, duty.Readers)
	add("POST /api/v1/tasks/{id}/links", d.postLink, duty.Agents)
	add("POST /api/v1/tasks/{id}/move", d.postMove, duty.Agents)
	add("POST /api/v1/tasks/{id}/ask", d.postAsk, duty.Agents)
	add("POST /api/v1/tasks/{id}/whisper", d.postWhisper, duty.Overseers)
	add("POST /api/v1/interactions/{id}/take_over", d.postTakeOver, duty.Agents, duty.Overseers)
	add("POST /api/v1/tasks/{id}/upgrade", d.postUpgrade, duty.Agents)
	add("POST /api/v1/tasks/{id}/role_links", d.postRoleLink, duty.Agents)
	add("DELETE /api/v1/tasks/{id}/role_links/{link}", d.deleteRoleLink, duty.Agents)
	add("POST /api/v1/role_links/look", d.postLookLink, duty.Speakers)
	add("POST /api/v1/role_links/join", d.postJoin, duty.Speakers)
	add("POST /api/v1/checks", d.postCheck, duty.Agents)
	add("GET /api/v1/checks", d.getChecks, duty.Agents, duty.Readers)
	add("GET /api/v1/checks/{id}", d.getCheck, duty.Agents, duty.Readers)
	add("GET /api/v1/checks/{id}/evidence/{blob}", d.getEvidence, duty.Agents, duty.Overseers)
	add("GET /api/v1/check_policies", d.getCheckPolicies, duty.Agents, duty.Readers)
	add("GET /api/v1/interactions/{id}/media/{blob}", d.getMedia, duty.Listeners)
	add("GET /api/v1/tasks/{id}/pictures/{picture}", d.getPicture, duty.Agents, duty.Readers)
	add("GET /api/v1/directory", d.getDirectory, duty.Agents, duty.Readers)
	add("GET /api/v1/queues", d.getQueues, duty.Agents, duty.Counters)
	add("GET /api/v1/line", d.getLine, duty.Readers)
	add("GET /api/v1/tasks/{id}/decisions", d.getDecisions, duty.Readers)
	add("GET /api/v1/agents", d.getAgents, duty.Counters)
	add("PUT /api/v1/agents/{name}/presence", d.putAgentPresence, duty.Writers)
	add("POST /api/v1/agents/{name}/wrap", d.postAgentWrap, duty.Writers)
	add("POST /api/v1/tasks/{id}/priority", d.postPriority, duty.Writers)
	add("POST /api/v1/tasks/{id}/queue", d.postQueue, duty.Writers)
	add("POST /api/v1/tasks/{id}/pull", d.postPull, duty.Writers)
	add("POST /api/v1/tasks/{id}/take", d.postTake, duty.Writers)
	add("POST /api/v1/tasks/{id}/end", d.postEnd, duty.Writers)
	add("GET /api/v1/board", d.getBoard, duty.Readers)
	add("GET /api/v1/board/history", d.getHistory, duty.Counters)
	add("GET /api/v1/board/history.csv", d.getHistoryCSV, duty.Counters)
	add("GET /api/v1/board/contacts", d.getContacts, duty.Readers)
	add("GET /api/v1/board/where", d.getWhere, duty.Readers)
	add("GET /api/v1/board/alerts", d.getAlerts, duty.Readers)
	add("POST /api/v1/board/alerts", d.postAlert, duty.Writers)
	add("PUT /api/v1/board/alerts/{id}", d.putAlert, duty.Writers)
	add("DELETE /api/v1/board/alerts/{id}", d.deleteAlert, duty.Writers)
	add("POST /api/v1/board/alerts/{id}/seen", d.postSeen, duty.Writers)
	add("GET /api/v1/policy", d.getPolicy, duty.Counters)
	add("GET /api/v1/interactions", d.getInteractions, duty.Readers)
	add("GET /api/v1/interactions/{id}", d.getInteraction, duty.Readers)
	add("GET /api/v1/surveys", d.getSurveys, duty.Readers, duty.Clerks)
	add("GET /api/v1/keys", d.getKeys, duty.Operators)
	add("POST /api/v1/keys", d.postKey, duty.Operators)
	add("DELETE /api/v1/keys/{id}", d.deleteKey, duty.Operators)
	add("GET /api/v1/webhooks", d.getHooks, duty.Hookers)
	add("POST /api/v1/webhooks", d.postHook, duty.Hookers)
	add("GET /api/v1/webhooks/{id}", d.getHook, duty.Hookers)
	add("PUT /api/v1/webhooks/{id}", d.putHook, duty.Hookers)
	add("DELETE /api/v1/webhooks/{id}", d.deleteHook, duty.Hookers)
	add("PUT /api/v1/webhooks/{id}/active", d.putHookActive, duty.Hookers)
	add("POST /api/v1/webhooks/{id}/rotate", d.postRotate, duty.Hookers)
	add("GET /api/v1/webhooks/{id}/deliveries", d.getDeliveries, duty.Hookers)
	add("POST /api/v1/webhooks/{id}/replay", d.postReplay, duty.Hookers)
	return all
}

// Routes adds the desk's addresses, all below /api/v1/.
func (d *Desk) Routes(mux *http.ServeMux) {
	for _, op := range d.operations() {
		mux.Handle(op.pattern, http.MaxBytesHandler(d.o.Door.RequireCaller(d.paced(d.answered(op.do)), op.roles, op.scopes), maxBody))
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
		p, status := duty.Problem(err)
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

// taskID reads the task of an address.
func taskID(r *http.Request) (tandem.TaskID, error) {
	id := r.PathValue("id")
	if !tandem.ValidID(id) {
		return "", duty.NoTask()
	}
	return tandem.TaskID(id), nil
}
