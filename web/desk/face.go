package desk

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"tandem"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// postUpgrade does what the agent of a task wants of voice and pictures.
func (d *Desk) postUpgrade(w http.ResponseWriter, r *http.Request) error {
	var in live.UpgradeOrder
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) { return d.Upgrade(r.Context(), c, id, in) })
}

func (d *Desk) postRoleLink(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Role tandem.Role `json:"role" answer:"needed"`
	}
	return d.withTask(w, r, &in, func(c login.Caller, id tandem.TaskID) (any, error) { return d.InviteLink(r.Context(), c, id, in.Role) })
}

func (d *Desk) deleteRoleLink(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	return d.done(w, d.RevokeLink(r.Context(), login.CallerOf(r.Context()), id, r.PathValue("link")))
}

// token is a request about a link by which somebody may join: in its body, where no log and
// no address has it.
type token struct {
	Token string `json:"token" answer:"needed"`
}

func (d *Desk) postLookLink(w http.ResponseWriter, r *http.Request) error {
	return withToken(w, r, d.LookLink)
}

func (d *Desk) postJoin(w http.ResponseWriter, r *http.Request) error {
	return withToken(w, r, d.Join)
}

func withToken[T any](w http.ResponseWriter, r *http.Request, do func(context.Context, login.Caller, string) (T, error)) error {
	var in token
	if !answer.Read(w, r, &in) {
		return errDone
	}
	out, err := do(r.Context(), login.CallerOf(r.Context()), in.Token)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func (d *Desk) postCheck(w http.ResponseWriter, r *http.Request) error {
	var in live.CheckOrder
	if !answer.Read(w, r, &in) {
		return errDone
	}
	k, err := d.Check(r.Context(), login.CallerOf(r.Context()), in)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, k)
	return nil
}

func (d *Desk) getChecks(w http.ResponseWriter, r *http.Request) error {
	c, q := login.CallerOf(r.Context()), r.URL.Query()
	in, state := tandem.InteractionID(q.Get("interaction")), q.Get("state")
	states := []string{"", "asked", "running", "broken", "second", "passed", "failed", "declined", "stopped"}
	if !slices.Contains(states, state) {
		return duty.Invalid("state is one of %s", strings.Join(states[1:], ", "))
	}
	all, err := d.ChecksOf(r.Context(), c, in, state)
	if err != nil {
		return err
	}
	if duty.Group(duty.Readers).Holds(c) {
		if err := d.lookAtChecks(r, c, string(in)); err != nil {
			return err
		}
	}
	answer.JSON(w, http.StatusOK, struct {
		Checks []view.Check `json:"checks"`
	}{append([]view.Check{}, all...)})
	return nil
}

// lookAtChecks writes down who looks at others' checks, once in a while.
func (d *Desk) lookAtChecks(r *http.Request, c login.Caller, of string) error {
	return d.looks.once(c.Name()+" checks "+of, d.o.Now(), func() error {
		return d.o.Door.Record(r.Context(), "checks.look", of, "desk")
	})
}

func (d *Desk) getCheck(w http.ResponseWriter, r *http.Request) error {
	c := login.CallerOf(r.Context())
	k, theirs, err := d.CheckOf(r.Context(), c, tandem.CheckID(r.PathValue("id")))
	if err == nil && !theirs {
		err = d.lookAtChecks(r, c, string(k.Interaction))
	}
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, k)
	return nil
}

func (d *Desk) getCheckPolicies(w http.ResponseWriter, _ *http.Request) error {
	all, err := d.CheckPolicies()
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, struct {
		Policies []view.CheckPolicy `json:"policies"`
	}{append([]view.CheckPolicy{}, all...)})
	return nil
}

// maxEvidence bounds a still that is shown, in bytes.
const maxEvidence = 16 << 20

// getEvidence shows a still of a check, once it is written down who looks, and why.
func (d *Desk) getEvidence(w http.ResponseWriter, r *http.Request) error {
	content, ref, err := d.Evidence(r.Context(), login.CallerOf(r.Context()), tandem.CheckID(r.PathValue("id")), tandem.BlobID(r.PathValue("blob")), r.URL.Query().Get("why"))
	if err != nil {
		return err
	}
	defer content.Close()
	if ref.MediaType != "image/jpeg" && ref.MediaType != "image/png" || ref.Size > maxEvidence {
		return tandem.Errorf(tandem.CodeNotFound, "the check has no such still")
	}
	data, err := io.ReadAll(io.LimitReader(content, maxEvidence)) // the whole of it: it is whole, or an error
	if err != nil {
		return err
	}
	shown(w.Header(), ref.MediaType)
	_, err = w.Write(data)
	clear(data)
	if err != nil {
		return errDone // who looked has gone
	}
	return nil
}

// shown sets what keeps something that was kept what it is, and out of caches.
func shown(h http.Header, mediaType string) {
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
}

// maxWhy is how long a reason may be, in characters.
const maxWhy = 200
