package sip

import (
	"fmt"

	"tandem"
)

// phrases are the standard reason phrases of the answers we give.
var phrases = map[int]string{
	100: "Trying", 180: "Ringing", 200: "OK",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	406: "Not Acceptable", 408: "Request Timeout", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
	420: "Bad Extension", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
	482: "Loop Detected", 486: "Busy Here", 487: "Request Terminated",
	488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error", 503: "Service Unavailable",
	600: "Busy Everywhere", 603: "Decline",
}

func phrase(code int) string {
	if p, ok := phrases[code]; ok {
		return p
	}
	return "Refused"
}

// wire is how one reason is told on the wire.
type wire struct {
	code  int  // refusal of a call not yet answered
	retry bool // with Retry-After
	cause int  // Q.850 cause of a call that was up (RFC 3326)
}

var wires = map[tandem.Reason]wire{
	tandem.ReasonCompleted:    {480, false, 16},
	tandem.ReasonHangup:       {480, false, 16},
	tandem.ReasonTransferred:  {480, false, 16},
	tandem.ReasonCancelled:    {487, false, 16},
	tandem.ReasonNoAnswer:     {480, false, 19},
	tandem.ReasonBusy:         {486, false, 17},
	tandem.ReasonDeclined:     {603, false, 21},
	tandem.ReasonNoEntry:      {404, false, 1},
	tandem.ReasonAuth:         {403, false, 21},
	tandem.ReasonBadRequest:   {400, false, 127},
	tandem.ReasonNoMedia:      {488, false, 88},
	tandem.ReasonOverload:     {503, true, 42},
	tandem.ReasonDraining:     {503, true, 41},
	tandem.ReasonStoreDown:    {503, true, 41},
	tandem.ReasonForbidden:    {403, false, 21},
	tandem.ReasonAckLost:      {480, false, 102},
	tandem.ReasonMediaTimeout: {480, false, 27},
	tandem.ReasonMaxDuration:  {480, false, 31},
	tandem.ReasonTransport:    {480, false, 27},
	tandem.ReasonFlowError:    {500, false, 41},
	tandem.ReasonPanic:        {500, false, 41},
	tandem.ReasonShutdown:     {503, true, 41},
	tandem.ReasonCrash:        {500, false, 41},
}

// refusalOf is the answer to an INVITE that ends with t; a code in t wins.
func refusalOf(t tandem.Termination) (code int, retry bool) {
	w, ok := wires[t.Reason]
	if !ok {
		w = wire{code: 500}
	}
	if t.SIP >= 300 && t.SIP <= 699 {
		w.code = t.SIP
	}
	return w.code, w.retry && w.code == 503
}

// reasonHeader is RFC 3326: the Q.850 cause and our word for it.
func reasonHeader(t tandem.Termination) string {
	return fmt.Sprintf("Q.850;cause=%d;text=%q", max(16, wires[t.Reason].cause), t.Reason)
}

// reasonOf is our word for a refusal by this code.
func reasonOf(code int) tandem.Reason {
	switch code {
	case 400, 415, 416, 420:
		return tandem.ReasonBadRequest
	case 401, 407:
		return tandem.ReasonAuth
	case 403:
		return tandem.ReasonForbidden
	case 404, 484, 604:
		return tandem.ReasonNoEntry
	case 408, 480:
		return tandem.ReasonNoAnswer
	case 486, 600:
		return tandem.ReasonBusy
	case 487:
		return tandem.ReasonCancelled
	case 488, 606:
		return tandem.ReasonNoMedia
	case 503:
		return tandem.ReasonOverload
	case 500:
		return tandem.ReasonFlowError
	}
	return tandem.ReasonDeclined
}
