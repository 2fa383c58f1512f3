package desk

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"tandem/bridge/hook"
	"tandem/store/staff"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// key is a program's key as operators see it.
type key struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	Agent   string        `json:"agent,omitempty"`
	Scopes  []staff.Scope `json:"scopes"`
	By      string        `json:"by"`
	Made    time.Time     `json:"made"`
	Expires time.Time     `json:"expires,omitzero"`
	Used    time.Time     `json:"used,omitzero"`
	Revoked time.Time     `json:"revoked,omitzero"`
}

func keyOf(k staff.Key) key {
	return key{k.ID, k.Name, k.Agent, append([]staff.Scope{}, k.Scopes...), k.By, k.Made.UTC(), view.UTC(k.Expires), view.UTC(k.Used), view.UTC(k.Revoked)}
}

func (d *Desk) getKeys(w http.ResponseWriter, r *http.Request) error {
	keys, err := d.o.Keys.Keys(r.Context())
	if err != nil {
		return err
	}
	slices.SortFunc(keys, func(a, b staff.Key) int { return b.Made.Compare(a.Made) })
	out := struct {
		Keys []key `json:"keys"`
	}{[]key{}}
	for _, k := range keys {
		out.Keys = append(out.Keys, keyOf(k))
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func (d *Desk) postKey(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name   string        `json:"name" answer:"needed"`
		Scopes []staff.Scope `json:"scopes" answer:"needed"`
		Agent  string        `json:"agent"`
		Days   int           `json:"days"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	k := staff.Key{Name: in.Name, Scopes: in.Scopes, Agent: in.Agent}
	if in.Days < 0 || in.Days > 10*365 {
		return duty.Invalid("days is how long the key holds")
	}
	if in.Days > 0 {
		k.Expires = d.o.Now().Add(time.Duration(in.Days) * 24 * time.Hour)
	}
	secret, made, err := d.o.Keys.MakeKey(r.Context(), login.Actor(r.Context()), k)
	var bad staff.KeyError
	switch {
	case errors.As(err, &bad):
		return duty.Invalid("%s", bad)
	case errors.Is(err, staff.ErrNoUser):
		return duty.Invalid("there is no user of this name who could be the key's agent")
	case errors.Is(err, staff.ErrTaken):
		answer.Refuse(w, http.StatusConflict, "taken", "Another key in use has this name.")
		return errDone
	case err != nil:
		return err
	}
	answer.JSON(w, http.StatusCreated, struct {
		Key    key    `json:"key"`
		Secret string `json:"secret"`
	}{keyOf(made), secret})
	return nil
}

func (d *Desk) deleteKey(w http.ResponseWriter, r *http.Request) error {
	if err := d.o.Keys.RevokeKey(r.Context(), login.Actor(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	d.floor.LookAgain() // its sockets end now
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// webhook is where events are sent to; secret is there once, as it is drawn.
type webhook struct {
	Webhook hook.Subscription `json:"webhook"`
	Secret  string            `json:"secret,omitempty"`
}

func (d *Desk) getHooks(w http.ResponseWriter, _ *http.Request) error {
	all := d.o.Hooks.List()
	if all == nil {
		all = []hook.Subscription{}
	}
	answer.JSON(w, http.StatusOK, struct {
		Webhooks []hook.Subscription `json:"webhooks"`
		Types    []string            `json:"types"`
	}{all, hook.Types()})
	return nil
}

func (d *Desk) getHook(w http.ResponseWriter, r *http.Request) error {
	s, err := d.o.Hooks.Find(r.PathValue("id"))
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, webhook{Webhook: s})
	return nil
}

func (d *Desk) postHook(w http.ResponseWriter, r *http.Request) error {
	var in hook.Wanted
	if !answer.Read(w, r, &in) {
		return errDone
	}
	if err := d.o.Door.Record(r.Context(), "webhook.add", "", in.Host()); err != nil {
		return err
	}
	s, secret, err := d.o.Hooks.Add(r.Context(), login.Actor(r.Context()).Name, in)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusCreated, webhook{s, secret})
	return nil
}

// onHook does something to a webhook that is there, once it is in the audit log.
func (d *Desk) onHook(w http.ResponseWriter, r *http.Request, action, detail string, do func(id string) (any, error)) error {
	id := r.PathValue("id")
	if _, err := d.o.Hooks.Find(id); err != nil {
		return err
	}
	if err := d.o.Door.Record(r.Context(), action, id, detail); err != nil {
		return err
	}
	out, err := do(id)
	if err != nil {
		return err
	}
	if out == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func (d *Desk) putHook(w http.ResponseWriter, r *http.Request) error {
	var in hook.Wanted
	if !answer.Read(w, r, &in) {
		return errDone
	}
	return d.onHook(w, r, "webhook.change", in.Host(), func(id string) (any, error) {
		s, err := d.o.Hooks.Change(r.Context(), id, in)
		return webhook{Webhook: s}, err
	})
}

func (d *Desk) putHookActive(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Active *bool `json:"active" answer:"needed"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	action := map[bool]string{true: "webhook.on", false: "webhook.off"}[*in.Active]
	return d.onHook(w, r, action, "", func(id string) (any, error) {
		s, err := d.o.Hooks.SetActive(r.Context(), id, *in.Active)
		return webhook{Webhook: s}, err
	})
}

func (d *Desk) deleteHook(w http.ResponseWriter, r *http.Request) error {
	return d.onHook(w, r, "webhook.remove", "", func(id string) (any, error) { return nil, d.o.Hooks.Remove(r.Context(), id) })
}

func (d *Desk) postRotate(w http.ResponseWriter, r *http.Request) error {
	return d.onHook(w, r, "webhook.rotate", "", func(id string) (any, error) {
		s, secret, err := d.o.Hooks.Rotate(r.Context(), id)
		return webhook{s, secret}, err
	})
}

func (d *Desk) getDeliveries(w http.ResponseWriter, r *http.Request) error {
	n, err := limit(r.URL.Query().Get("limit"), pastPage)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if _, err := d.o.Hooks.Find(id); err != nil {
		return err
	}
	list, err := d.o.Hooks.Deliveries(r.Context(), id, r.URL.Query().Get("before"), n)
	if err != nil {
		return err
	}
	if list == nil {
		list = []hook.Delivery{}
	}
	answer.JSON(w, http.StatusOK, struct {
		Deliveries []hook.Delivery `json:"deliveries"`
	}{list})
	return nil
}

func (d *Desk) postReplay(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Delivery string    `json:"delivery"`
		Since    time.Time `json:"since"`
		Until    time.Time `json:"until"`
	}
	if !answer.Read(w, r, &in) {
		return errDone
	}
	if (in.Delivery == "") == in.Since.IsZero() || len(in.Delivery) > duty.MaxName {
		return duty.Invalid("say a delivery, or since when")
	}
	return d.onHook(w, r, "webhook.replay", in.Delivery, func(id string) (any, error) {
		queued := 1
		var err error
		if in.Delivery != "" {
			err = d.o.Hooks.ReplayOne(r.Context(), id, in.Delivery)
		} else {
			if in.Until.IsZero() {
				in.Until = d.o.Now()
			}
			queued, err = d.o.Hooks.Replay(r.Context(), id, in.Since, in.Until)
		}
		return struct {
			Queued int `json:"queued"`
		}{queued}, err
	})
}
