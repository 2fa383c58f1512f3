package view

import (
	"time"

	"tandem"
	"tandem/bridge/phone"
)

// Talk is a call as the API shows it.
type Talk struct {
	Task        tandem.TaskID        `json:"task,omitempty"` // "" = nobody serves the customer yet
	Interaction tandem.InteractionID `json:"interaction"`
	Agent       string               `json:"agent,omitempty"`
	Parties     []Party              `json:"parties"`
	Recording   string               `json:"recording"` // "", on, paused
	Secret      bool                 `json:"secret"`
	Lent        bool                 `json:"lent"`
	Direct      bool                 `json:"direct"`
	Codec       string               `json:"codec,omitempty"`
}

// Party is one leg of it.
type Party struct {
	Leg    tandem.LegID `json:"leg"`
	Role   tandem.Role  `json:"role"`
	Name   string       `json:"name,omitempty"`
	Number string       `json:"number,omitempty"`
	Device string       `json:"device,omitempty"`
	State  string       `json:"state"`
	Muted  bool         `json:"muted,omitempty"`
	Held   bool         `json:"held,omitempty"`
	Since  time.Time    `json:"since"`

	Guest   bool `json:"guest,omitempty"`   // joined by a link
	Camera  bool `json:"camera,omitempty"`  // their camera's picture comes
	Display bool `json:"display,omitempty"` // so does that of a screen they share
}

// TalkOf is a call as somebody may see it.
func TalkOf(t phone.Talk, by string, supervisor bool) Talk {
	t = t.Seen(by, supervisor)
	v := Talk{Task: t.Task, Interaction: t.Interaction, Agent: t.Agent, Parties: []Party{}, Recording: t.Recording, Secret: t.Secret, Lent: t.Lent, Direct: t.Direct, Codec: t.Codec}
	for _, p := range t.Parties {
		v.Parties = append(v.Parties, Party{p.Leg, p.Role, p.Name, p.Number, p.Device, p.State, p.Muted, p.Held, p.Since.UTC(), p.Guest, p.Camera, p.Display})
	}
	return v
}

// Invite is an agent asked into a call by another.
type Invite struct {
	ID          string               `json:"id"`
	From        string               `json:"from"`
	Task        tandem.TaskID        `json:"task"`
	Interaction tandem.InteractionID `json:"interaction"`
	Until       time.Time            `json:"until"`
}

// InviteOf is an invite as whom it is for sees it.
func InviteOf(i phone.Invite) Invite {
	return Invite{i.ID, i.From, i.Task, i.Interaction, i.Until.UTC()}
}

// Offered is a link that the customer was given, as it is now.
type Offered struct {
	ID        tandem.LinkID    `json:"id"`
	Operation string           `json:"operation,omitempty"`
	To        tandem.Channel   `json:"to,omitempty"` // of a link to go on by another channel
	State     tandem.LinkState `json:"state"`
	By        string           `json:"by"` // the way it went: sms, chat, mail
	At        time.Time        `json:"at"` // of the state
	Expires   time.Time        `json:"expires,omitzero"`
}

// Told is what came of a step that an agent asked a flow to run.
type Told struct {
	Task    tandem.TaskID  `json:"task"`
	Flow    string         `json:"flow"`
	Step    string         `json:"step"`
	Outcome string         `json:"outcome"`
	Set     map[string]any `json:"set,omitempty"` // by variable, secrets masked
}

// Node is a step of a flow that a customer can be given back to, or that can be run with
// them.
type Node struct {
	Flow    string        `json:"flow"`
	Step    string        `json:"step"`
	Verb    string        `json:"verb"`
	Words   tandem.Words  `json:"words"`
	Allowed bool          `json:"allowed"`        // to be handed back to
	Asks    bool          `json:"asks,omitempty"` // it can be asked to run
	Why     *tandem.Words `json:"why,omitempty"`  // neither
	Here    bool          `json:"here,omitempty"`
	Secret  bool          `json:"secret,omitempty"`
}

// Reply is a canned reply, filled in.
type Reply struct {
	Name    string   `json:"name"`
	Lang    string   `json:"lang"`
	Text    string   `json:"text"`
	Missing []string `json:"missing,omitempty"` // what is not known
}

// Operation is one whose link can be sent.
type Operation struct {
	Name   string            `json:"name"`
	Words  map[string]string `json:"words"` // by language
	Params []Param           `json:"params"`
	Needs  string            `json:"needs,omitempty"` // of assurance
}

// Param is what an operation's page can be given.
type Param struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Required bool              `json:"required,omitempty"`
	Words    map[string]string `json:"words,omitempty"`
	Values   []string          `json:"values,omitempty"` // of an enum
}
