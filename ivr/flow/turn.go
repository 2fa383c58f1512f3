package flow

import (
	"encoding/json"
	"time"

	"tandem"
)

// Turn is one turn of a talk that the world holds itself with the customer, in words of
// the program's own: to find out who they are (Identify), or which earlier interaction
// to go on with (Resume).
type Turn struct {
	Plays []Play // said before the wait; after the last turn too
	// Wait is of the kind WaitListen: its Timeout, Secret and Options count. Serial and
	// Step are those of the session's own wait. A caller who waits for a person has one of the
	// kind WaitQueue: its Until, Secret and Served count, music is played until that person has
	// them, and InputPlace and InputServed are for the world, too.
	Wait   Wait
	Entry  string          // what is entered, for a page's field: phone, number, code; "" = nothing that may be seen while it is typed
	Digits int             // keys that complete an entry on voice; 0 = # or a pause does
	State  json.RawMessage // handed back with what the customer enters; kept in Session.World
	Done   *Result         // what came of it: the talk is over; nil = it goes on
	// Go names the interaction whose session goes on in the place of this one; "" = none.
	Go tandem.InteractionID
	// Assurance and Until are what the talk has proved, for the session that goes on.
	Assurance tandem.Assurance
	Until     time.Time
}
