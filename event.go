package tandem

import (
	"encoding/json"
	"time"
)

// EventKind names a fact. The list is closed; each kind fixes its class and the
// shape of its payload, named beside it.
type EventKind string

const (
	// Promises: committed durably before anything leaves.
	EventOpened        EventKind = "interaction.opened"  // Opened
	EventLegStarted    EventKind = "leg.started"         // Leg
	EventConsent       EventKind = "consent.given"       // Consent
	EventVoicemail     EventKind = "voicemail.left"      // Recorded
	EventTaken         EventKind = "flow.recorded"       // Recorded: what the customer said into a variable
	EventTaskOpened    EventKind = "task.opened"         // Task
	EventTaskChanged   EventKind = "task.changed"        // TaskChanged: of kind, queue or priority
	EventTaskOffered   EventKind = "task.offered"        // Offered
	EventTaskReturned  EventKind = "task.returned"       // Returned: an offer came to nothing, the task is back at its place
	EventTaskAssigned  EventKind = "task.assigned"       // Assigned
	EventTaskReleased  EventKind = "task.released"       // Released: the agent has it no more
	EventTaskWrapped   EventKind = "task.wrapped"        // Wrapped: the agent's notes are done
	EventTaskDone      EventKind = "task.done"           // TaskOver
	EventTicket        EventKind = "ticket.opened"       // Ticket
	EventTicketChanged EventKind = "ticket.changed"      // TicketChanged
	EventSurvey        EventKind = "survey.answered"     // Surveyed
	EventNoted         EventKind = "agent.noted"         // Noted: what an agent wrote about the interaction
	EventDialled       EventKind = "call.dialled"        // Dialled
	EventBlobOpened    EventKind = "audit.opened"        // Audit: somebody listened or looked
	EventErased        EventKind = "customer.erased"     // Audit, on the erased customer's interactions
	EventOutboxDead    EventKind = "outbox.given_up"     // Delivery
	EventOutboxDone    EventKind = "outbox.delivered"    // Delivery
	EventMessage       EventKind = "message.added"       // Message: by or to the customer
	EventLinkMade      EventKind = "link.made"           // LinkMade
	EventLinkState     EventKind = "link.changed"        // LinkChanged: opened, done, declined, expired, revoked
	EventMoved         EventKind = "session.moved"       // Moved: the flow goes on by another leg
	EventResumed       EventKind = "session.resumed"     // Moved: it goes on where it was, on a leg that came later
	EventIdentified    EventKind = "customer.identified" // Identified
	EventCodeSent      EventKind = "code.sent"           // CodeSent
	EventBound         EventKind = "customer.bound"      // Bound
	EventUnbound       EventKind = "customer.unbound"    // Bound
	EventMerged        EventKind = "customer.merged"     // Merged
	EventUnmerged      EventKind = "customer.unmerged"   // Merged
	EventCallback      EventKind = "callback.booked"     // Callback
	EventStopped       EventKind = "texts.stopped"       // Stopped: the person asked for no more texts, or for texts again
	EventListened      EventKind = "audit.listened"      // Listening: somebody joins unseen, told before they hear
	EventTakenOver     EventKind = "session.taken"       // TakenOver: an agent has the customer out of a flow's step
	EventHandedBack    EventKind = "session.handed_back" // TakenOver: the flow goes on, at a step of the agent's choice
	EventUpgrade       EventKind = "upgrade.changed"     // Upgraded: voice or pictures were asked for, agreed to, refused, ended
	EventRoleLink      EventKind = "room.invited"        // RoleLinked: a link by which somebody may join the room in a role
	EventCheckBegun    EventKind = "check.begun"         // CheckBegun
	EventCheckStep     EventKind = "check.step"          // CheckStep: a step of an identity check is done, or void again
	EventEvidence      EventKind = "check.evidence"      // Evidence: a still was kept
	EventCheckBroken   EventKind = "check.interrupted"   // CheckBroken: it begins again
	EventVerdict       EventKind = "check.decided"       // Verdict
	EventDisposed      EventKind = "blob.removed"        // Disposed: retention has removed what was kept
	EventJournalGap    EventKind = "journal.gap"         // Gap: happenings that were lost while the store failed

	// Happenings: may trail by up to 200 ms. What a call has come to is one, since it
	// cannot be refused; a crash in between closes the call as a crash.
	EventLegAnswered EventKind = "leg.answered"       // none
	EventLegEnded    EventKind = "leg.ended"          // Termination
	EventClosed      EventKind = "interaction.closed" // Closing
	EventRecorded    EventKind = "recording.kept"     // Recorded
	EventFlowStarted EventKind = "flow.started"       // FlowRef
	EventStep        EventKind = "flow.step"          // StepEntered
	EventOutcome     EventKind = "flow.outcome"       // StepLeft
	EventPrompt      EventKind = "flow.prompt"        // Prompted
	EventInput       EventKind = "flow.input"         // Pressed: never the digits of a secret
	EventHTTP        EventKind = "flow.http"          // Fetched
	EventFlowError   EventKind = "flow.error"         // FlowFault
	EventFlowEnded   EventKind = "flow.ended"         // FlowEnd
	EventHold        EventKind = "leg.hold"           // Held
	EventJoined      EventKind = "room.joined"        // Joined: a leg is in the interaction's room
	EventRoomChanged EventKind = "room.changed"       // Joined: it is another now in role, mute or hold
	EventParted      EventKind = "room.left"          // Parted
	EventRecording   EventKind = "recording.state"    // Recorded: it begins
	EventMedia       EventKind = "media.figures"      // MediaFigures
	EventReceipt     EventKind = "message.receipt"    // Receipt
	EventCarried     EventKind = "upgrade.carried"    // Carried: what the network lets through now
)

// Event is one fact of an interaction: immutable, numbered from 1 without gaps by
// the store, and chained by hash to the one before it.
type Event struct {
	Interaction InteractionID   `json:"interaction"`
	Seq         uint64          `json:"seq"` // given by the store
	At          time.Time       `json:"at"`
	Kind        EventKind       `json:"kind"`
	Leg         LegID           `json:"leg,omitempty"`
	Actor       string          `json:"actor,omitempty"` // who caused it: "caller", "flow", "system", an agent's or operator's name
	Data        json.RawMessage `json:"data,omitempty"`  // the payload; null once the customer is erased
}

// NewEvent makes an event with its payload as JSON. A payload that cannot be
// marshalled is a fault in the calling code and panics.
func NewEvent(in InteractionID, leg LegID, at time.Time, kind EventKind, actor string, payload any) Event {
	e := Event{Interaction: in, At: at, Kind: kind, Leg: leg, Actor: actor}
	if payload != nil {
		data, err := json.Marshal(payload)
		if err != nil {
			panic("tandem: event payload: " + err.Error())
		}
		e.Data = data
	}
	return e
}

// Payloads of events, one per kind that has one.
type (
	Opened struct {
		Entry   string  `json:"entry"`
		Channel Channel `json:"channel"`
		From    string  `json:"from"`
		To      string  `json:"to"`
	}
	Closing struct {
		Outcome     string      `json:"outcome"`
		Termination Termination `json:"termination"`
	}
	Consent struct {
		Kind   string `json:"kind"` // recording, data, video, voice
		Answer string `json:"answer"`
		Lang   string `json:"lang"`
		Text   string `json:"text"` // the words that were said
		Flow   string `json:"flow"` // content hash of the flow that asked; "" = no flow did
		// Version is that of the words, Who is told to see and hear the customer: of consents to
		// an upgrade or an identity check.
		Version string   `json:"version,omitempty"`
		Who     []string `json:"who,omitempty"`
		Check   CheckID  `json:"check,omitempty"` // of a consent to an identity check
	}
	Recorded struct {
		Blob    BlobID  `json:"blob"`
		Seconds float64 `json:"seconds"`
		Box     string  `json:"box,omitempty"`
		// MediaType is told of what has pictures: video/webm. Shows is what they are of: camera, display.
		MediaType string `json:"media_type,omitempty"`
		Shows     string `json:"shows,omitempty"`
		Cut       bool   `json:"cut,omitempty"` // the program ended in mid-recording: this is what there is
	}
	Dialled struct {
		To    string `json:"to"`
		Trunk string `json:"trunk,omitempty"`
	}
	Audit struct {
		Why  string `json:"why"`
		Blob BlobID `json:"blob,omitempty"`
	}
	Delivery struct {
		Key      string `json:"key"`
		Attempts int    `json:"attempts"`
		Error    string `json:"error,omitempty"`
	}
	Gap struct {
		Lost  int       `json:"lost"`
		From  time.Time `json:"from"`
		Until time.Time `json:"until"`
		Cause string    `json:"cause"`
	}
	FlowRef struct {
		Flow string `json:"flow"`
		Hash string `json:"hash"`
	}
	StepEntered struct {
		Flow string `json:"flow"`
		Step string `json:"step"`
		Verb string `json:"verb"`
	}
	StepLeft struct {
		Flow    string         `json:"flow"`
		Step    string         `json:"step"`
		Outcome string         `json:"outcome"`
		Next    string         `json:"next"`
		Set     map[string]any `json:"set,omitempty"` // variables it changed, secrets masked
	}
	Prompted struct {
		Step    string `json:"step"`
		Name    string `json:"name,omitempty"`
		Lang    string `json:"lang"`
		Text    string `json:"text"`
		Heard   bool   `json:"heard"`    // played to its end
		HeardMS int    `json:"heard_ms"` // how much was played
	}
	Pressed struct {
		Step string `json:"step"`
		Keys string `json:"keys"` // "•" for each key of a secret
		Via  string `json:"via"`  // rfc4733, info, inband, text, speech
	}
	Fetched struct {
		Step    string `json:"step"`
		Method  string `json:"method"`
		URL     string `json:"url"` // without query, secrets masked
		Status  int    `json:"status,omitempty"`
		Outcome string `json:"outcome"`
		MS      int64  `json:"ms"`
		Tries   int    `json:"tries"`
	}
	FlowFault struct {
		Step    string `json:"step"`
		Message string `json:"message"`
	}
	FlowEnd struct {
		Reason string `json:"reason"`
	}
	// Message is one message of a conversation, as both sides see it. What was entered as
	// a secret is "•" for each character; an address with a link's token is masked.
	Message struct {
		Conversation ConversationID `json:"conversation"`
		Seq          uint64         `json:"seq"` // in the conversation, from 1 without gaps
		Channel      Channel        `json:"channel"`
		From         Sender         `json:"from"`
		Name         string         `json:"name,omitempty"`   // of the agent
		Client       string         `json:"client,omitempty"` // the sender's own id, against doubles
		Lang         string         `json:"lang,omitempty"`
		Text         string         `json:"text,omitempty"`
		Image        string         `json:"image,omitempty"` // a flow's picture; path relative to the flows folder
		Attachment   *Attachment    `json:"attachment,omitempty"`
		Buttons      []Button       `json:"buttons,omitempty"`
		Link         *MessageLink   `json:"link,omitempty"`
		Secret       bool           `json:"secret,omitempty"`      // by the customer: entered as a secret
		AsksSecret   bool           `json:"asks_secret,omitempty"` // to the customer: the reply is a secret
		Entry        string         `json:"entry,omitempty"`       // and what is entered: phone, number, code; those may be seen while they are typed
	}
	// Button is a choice that can be tapped: the reply is its Label.
	Button struct {
		Keys  string `json:"keys,omitempty"`
		Label string `json:"label"`
	}
	// MessageLink is a link that a chat shows as a button.
	MessageLink struct {
		ID    LinkID `json:"id"`
		Label string `json:"label,omitempty"` // "" = a plain word
	}
	// Attachment is a picture that was sent, checked and encoded anew.
	Attachment struct {
		Blob      BlobID `json:"blob"`
		MediaType string `json:"media_type"`
		Bytes     int64  `json:"bytes"`
		Width     int    `json:"width"` // pixels
		Height    int    `json:"height"`
	}
	// Receipt tells how far a message has come. One without Conversation is of a text that
	// was not written at all, since a rule forbids it.
	Receipt struct {
		Conversation ConversationID `json:"conversation"`
		Seq          uint64         `json:"seq"`
		State        MessageState   `json:"state"`
		Error        string         `json:"error,omitempty"`
	}
	LinkIssued struct {
		Link      LinkID         `json:"link"`
		Operation string         `json:"operation,omitempty"` // "" = to go on by another channel
		To        Channel        `json:"to,omitempty"`        // that channel
		Params    map[string]any `json:"params,omitempty"`
		By        string         `json:"by"` // sms, chat, mail
		Expires   time.Time      `json:"expires"`
	}
	LinkChanged struct {
		Link   LinkID         `json:"link"`
		State  LinkState      `json:"state"`
		Leg    LegID          `json:"leg,omitempty"`    // the page
		Fields map[string]any `json:"fields,omitempty"` // done: what was filled in, secrets masked
		Why    string         `json:"why,omitempty"`    // revoked: the reason that was given
	}
	Moved struct {
		From    LegID   `json:"from,omitempty"`
		To      LegID   `json:"to"`
		Channel Channel `json:"channel"`
		Carried bool    `json:"carried,omitempty"` // the assurance came along
	}
	Identified struct {
		Method  string    `json:"method"` // code, pin, questions, video
		Level   Assurance `json:"level"`
		Outcome string    `json:"outcome"`
		Until   time.Time `json:"until,omitzero"`
	}
	CodeSent struct {
		To  string `json:"to"` // masked
		By  string `json:"by"` // sms, mail
		Why string `json:"why"`
	}
	Bound struct {
		Customer CustomerID `json:"customer"`
		Identity Identity   `json:"identity"`
		Method   string     `json:"method"`
		From     CustomerID `json:"from,omitempty"` // whose it was before
		Why      string     `json:"why,omitempty"`  // of an undoing: the reason that was given
	}
	Merged struct {
		From CustomerID `json:"from"`
		Into CustomerID `json:"into"`
		Why  string     `json:"why,omitempty"`
	}
	Callback struct {
		Task  TaskID `json:"task"`
		To    string `json:"to"`
		At    string `json:"at,omitempty"` // "" = as soon as somebody is free
		Queue string `json:"queue,omitempty"`
		// Proven: it is the number the customer called from, or one that answered a code. Any
		// other may not be dialled before it has.
		Proven bool `json:"proven,omitempty"`
	}
	// Joined is how a leg takes part in the room of its interaction from now on. Of one leg
	// there is one at a time, so the spans between Joined and Parted sum to its seconds.
	Joined struct {
		Role  Role   `json:"role"`
		Name  string `json:"name,omitempty"` // of the agent or supervisor; "" = the customer, or a number that was called
		Muted bool   `json:"muted,omitempty"`
		Held  bool   `json:"held,omitempty"` // hears music, is not heard
	}
	Parted struct {
		Seconds float64 `json:"seconds"` // since it joined
		Held    float64 `json:"held"`    // of them on hold
		Why     string  `json:"why"`     // left, removed, transferred, lost, over
	}
	Listening struct {
		Who  string `json:"who"`
		Role Role   `json:"role"` // listener, whisperer; agent = barged in
		Why  string `json:"why"`  // the reason that was given
	}
	TakenOver struct {
		Agent string `json:"agent"`
		Task  TaskID `json:"task"`
		Flow  string `json:"flow"`
		Step  string `json:"step"`          // taken: where the session stood; handed back: where it goes on, "" = where the flow leads
		Why   string `json:"why,omitempty"` // taken: in the words of whoever did it
	}
	TaskChanged struct {
		Task     TaskID        `json:"task"`
		Kind     TaskKind      `json:"kind"`
		Queue    string        `json:"queue"`
		Priority time.Duration `json:"priority,omitempty"`
		Prefer   string        `json:"prefer,omitempty"`
		Due      time.Time     `json:"due"`
		Why      string        `json:"why"` // moved, callback, transfer, overflow, priority, escalated, crash
	}
	Offered struct {
		Task     TaskID    `json:"task"`
		Agent    string    `json:"agent"`
		Fence    uint64    `json:"fence"`
		Deadline time.Time `json:"deadline"`
		Decision Decision  `json:"decision"`
	}
	Returned struct {
		Task  TaskID `json:"task"`
		Agent string `json:"agent"`
		Fence uint64 `json:"fence"`
		Why   string `json:"why"` // lapsed, declined, unreachable, restart, gone (the task changed or ended)
	}
	Assigned struct {
		Task   TaskID  `json:"task"`
		Agent  string  `json:"agent"`
		Fence  uint64  `json:"fence"`
		Waited float64 `json:"waited"` // seconds since it arrived
		// Target is in how many seconds it was to be taken up, by the policy as it was then.
		Target float64 `json:"target,omitempty"`
	}
	Released struct {
		Task    TaskID  `json:"task"`
		Agent   string  `json:"agent"`
		Fence   uint64  `json:"fence"`
		Why     string  `json:"why"`             // done, handed_back, transferred, left, moved, crash, lost
		Again   bool    `json:"again,omitempty"` // it is back in line, at its place
		Seconds float64 `json:"seconds"`         // since it was assigned
	}
	Wrapped struct {
		Task        TaskID  `json:"task"`
		Agent       string  `json:"agent"`
		Fence       uint64  `json:"fence"`
		Disposition string  `json:"disposition,omitempty"`
		Seconds     float64 `json:"seconds"`
		Late        bool    `json:"late,omitempty"` // ended by its maximum, or by a supervisor
	}
	TaskOver struct {
		Task    TaskID `json:"task"`
		Agent   string `json:"agent,omitempty"`
		Outcome string `json:"outcome"`
	}
	// Ticket is a work order as it was opened.
	Ticket struct {
		Task   TaskID         `json:"task"`
		Number Number         `json:"number"`
		Form   string         `json:"form"`
		Fields map[string]any `json:"fields"`
		Owner  string         `json:"owner,omitempty"` // agent:NAME, team:NAME or queue:NAME
		Due    time.Time      `json:"due"`
		Lang   string         `json:"lang,omitempty"`
	}
	TicketChanged struct {
		Task   TaskID    `json:"task"`
		Status string    `json:"status,omitempty"` // open, working, waiting, done
		Owner  string    `json:"owner,omitempty"`
		Due    time.Time `json:"due,omitzero"`
		Note   string    `json:"note,omitempty"` // for staff
		Told   string    `json:"told,omitempty"` // for the customer
		Why    string    `json:"why,omitempty"`  // escalated: the deadline passed
	}
	// Surveyed is what was answered so far in one visit of a survey: the newest event of a
	// visit says all of it.
	Surveyed struct {
		Visit   string         `json:"visit,omitempty"`
		Form    string         `json:"form"`
		Channel Channel        `json:"channel"`
		Answers map[string]any `json:"answers"`           // by the field's name
		Agent   string         `json:"agent,omitempty"`   // who served the customer last
		Partial bool           `json:"partial,omitempty"` // the customer stopped before the end
	}
	Noted struct {
		Task TaskID `json:"task,omitempty"`
		Text string `json:"text"`
	}
	Stopped struct {
		Number string `json:"number"`
		On     bool   `json:"on"` // texts are stopped
		Word   string `json:"word"`
	}
	// MediaFigures are packets, and times in ms, of one leg's audio.
	MediaFigures struct {
		Sent        uint64  `json:"sent"`
		Received    uint64  `json:"received"`
		Lost        uint64  `json:"lost"`
		Late        uint64  `json:"late"`
		JitterMS    float64 `json:"jitter_ms"`
		Strangers   uint64  `json:"strangers,omitempty"` // packets of others, dropped
		Digits      uint64  `json:"digits,omitempty"`
		RemoteLost  uint64  `json:"remote_lost,omitempty"` // of ours, as the far end reports
		RoundTripMS float64 `json:"round_trip_ms,omitempty"`
		// Of the packets that were sent: passed on as they came, turned from one G.711 law to
		// the other, and mixed of several voices.
		Passed     uint64 `json:"passed,omitempty"`
		Transcoded uint64 `json:"transcoded,omitempty"`
		Mixed      uint64 `json:"mixed,omitempty"`
		Opus       uint64 `json:"opus,omitempty"` // passed on from one browser to another as they came
	}
	Held struct {
		By Party `json:"by"`
		On bool  `json:"on"`
	}
)
