package tandem

import "fmt"

// Party is who ended a leg.
type Party string

const (
	ByRemote Party = "remote" // the party on the leg
	ByPeer   Party = "peer"   // the party it was joined to
	ByFlow   Party = "flow"
	ByAgent  Party = "agent"
	BySystem Party = "system" // this server
)

// Class groups terminations for metrics and reports.
type Class string

const (
	ClassNormal   Class = "normal"   // answered, then ended as somebody wished
	ClassUnserved Class = "unserved" // ended before it was answered, by the other party's wish or state
	ClassRefused  Class = "refused"  // not let in
	ClassFailed   Class = "failed"   // something broke
)

// Termination says who ended a leg and why: a reason from the closed list below,
// which fixes its class. The same value goes to log, metric and record.
type Termination struct {
	By     Party  `json:"by"`
	Class  Class  `json:"class"`
	Reason Reason `json:"reason"`
	SIP    int    `json:"sip,omitempty"` // status code on the wire, where there was one
}

// Reason is one way a leg can end.
type Reason string

const (
	ReasonCompleted    Reason = "completed"      // the flow reached its end, or the parties parted
	ReasonHangup       Reason = "hangup"         // BYE
	ReasonTransferred  Reason = "transferred"    // joined elsewhere, done here
	ReasonMoved        Reason = "moved"          // the customer goes on by another leg
	ReasonCancelled    Reason = "cancelled"      // CANCEL before answer
	ReasonNoAnswer     Reason = "no_answer"      // rang out
	ReasonBusy         Reason = "busy"           // 486, 600
	ReasonDeclined     Reason = "declined"       // 603, 4xx not named here
	ReasonNoEntry      Reason = "no_entry"       // 404: the number called is not mapped
	ReasonAuth         Reason = "unauthorised"   // digest missing or wrong
	ReasonBadRequest   Reason = "bad_request"    // malformed, or an extension we do not know
	ReasonNoMedia      Reason = "no_media"       // 488: no codec or transport in common
	ReasonOverload     Reason = "overload"       // 503: a limit or an admission rule
	ReasonDraining     Reason = "draining"       // 503: this server is stopping
	ReasonStoreDown    Reason = "store_down"     // 503: promises cannot be kept
	ReasonForbidden    Reason = "not_allowed"    // a cap or an allow-list refused it
	ReasonAckLost      Reason = "ack_lost"       // 200 repeated until given up, RFC 3261 section 13.3.1.4
	ReasonMediaTimeout Reason = "media_timeout"  // the far end sends nothing any more
	ReasonMaxDuration  Reason = "max_duration"   // the longest a call may last
	ReasonTransport    Reason = "transport_lost" // the connection went, or no answer to our request
	ReasonFlowError    Reason = "flow_error"     // the flow could not go on
	ReasonPanic        Reason = "panic"          // a fault of ours, this call only
	ReasonShutdown     Reason = "shutdown"       // stopped with the call up
	ReasonCrash        Reason = "crash"          // found open after an unclean stop
)

var reasonClass = map[Reason]Class{
	ReasonCompleted: ClassNormal, ReasonHangup: ClassNormal, ReasonTransferred: ClassNormal, ReasonMoved: ClassNormal,
	ReasonCancelled: ClassUnserved, ReasonNoAnswer: ClassUnserved, ReasonBusy: ClassUnserved, ReasonDeclined: ClassUnserved,
	ReasonNoEntry: ClassRefused, ReasonAuth: ClassRefused, ReasonBadRequest: ClassRefused, ReasonNoMedia: ClassRefused,
	ReasonOverload: ClassRefused, ReasonDraining: ClassRefused, ReasonStoreDown: ClassRefused, ReasonForbidden: ClassRefused,
	ReasonAckLost: ClassFailed, ReasonMediaTimeout: ClassFailed, ReasonMaxDuration: ClassFailed, ReasonTransport: ClassFailed,
	ReasonFlowError: ClassFailed, ReasonPanic: ClassFailed, ReasonShutdown: ClassFailed, ReasonCrash: ClassFailed,
}

// Terminate makes a Termination. It panics on a reason outside the closed list:
// that is a fault in the calling code, found by any test that reaches it.
func Terminate(by Party, reason Reason) Termination {
	class, ok := reasonClass[reason]
	if !ok {
		panic(fmt.Sprintf("tandem: %q is no termination reason", reason))
	}
	return Termination{By: by, Class: class, Reason: reason}
}

// WithSIP returns t with the status code that was on the wire.
func (t Termination) WithSIP(code int) Termination {
	t.SIP = code
	return t
}

// IsZero reports whether the leg has not ended.
func (t Termination) IsZero() bool { return t.Reason == "" }

func (t Termination) String() string {
	if t.IsZero() {
		return "not ended"
	}
	if t.SIP != 0 {
		return fmt.Sprintf("%s by %s (%s, SIP %d)", t.Reason, t.By, t.Class, t.SIP)
	}
	return fmt.Sprintf("%s by %s (%s)", t.Reason, t.By, t.Class)
}
