package main

import (
	"encoding/json"
	"fmt"

	"tandem"
)

// roomEventWords say who heard and spoke with whom, and who had the customer out of the flow.
var roomEventWords = map[tandem.EventKind]func(json.RawMessage) (string, error){
	tandem.EventListened: words(func(p tandem.Listening) string {
		line := fmt.Sprintf("%s listens in", p.Who)
		switch p.Role {
		case tandem.RoleWhisperer:
			line = fmt.Sprintf("%s listens in and speaks to the agent alone", p.Who)
		case tandem.RoleAgent:
			line = fmt.Sprintf("%s joins in", p.Who)
		}
		if p.Why != "" {
			line += fmt.Sprintf(", because “%s”", p.Why)
		}
		return line
	}),
	tandem.EventTakenOver: words(func(p tandem.TakenOver) string {
		return fmt.Sprintf("%s takes the customer out of step %s of %s", p.Agent, p.Step, p.Flow)
	}),
	tandem.EventHandedBack: words(func(p tandem.TakenOver) string {
		if p.Step == "" {
			return fmt.Sprintf("%s hands the customer back to the flow", p.Agent)
		}
		return fmt.Sprintf("%s hands the customer to step %s of %s", p.Agent, p.Step, p.Flow)
	}),
	tandem.EventJoined:      words(func(p tandem.Joined) string { return partyOf(p) + " is in the room" + partyState(p) }),
	tandem.EventRoomChanged: words(func(p tandem.Joined) string { return partyOf(p) + " is in the room now" + partyState(p) }),
	tandem.EventParted: words(func(p tandem.Parted) string {
		line := fmt.Sprintf("out of the room after %s (%s)", lengthOf(p.Seconds), p.Why)
		if p.Held > 0 {
			line += fmt.Sprintf(", of them %s on hold", lengthOf(p.Held))
		}
		return line
	}),
}

// partyOf names who takes part.
func partyOf(p tandem.Joined) string {
	if p.Name == "" {
		return string(p.Role)
	}
	return fmt.Sprintf("%s %s", p.Role, p.Name)
}

// partyState is how they take part, where it is not plainly.
func partyState(p tandem.Joined) string {
	line := ""
	if p.Muted {
		line += ", muted"
	}
	if p.Held {
		line += ", on hold"
	}
	return line
}
