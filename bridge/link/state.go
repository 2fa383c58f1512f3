package link

import (
	"slices"

	"tandem"
)

// follows is what may become of a link: nothing follows what is not listed.
var follows = map[tandem.LinkState][]tandem.LinkState{
	tandem.LinkMade:   {tandem.LinkOpened, tandem.LinkExpired, tandem.LinkRevoked},
	tandem.LinkOpened: {tandem.LinkDone, tandem.LinkDeclined, tandem.LinkExpired, tandem.LinkRevoked},
}

func may(from, to tandem.LinkState) bool { return slices.Contains(follows[from], to) }

// byPerson tells the changes that somebody makes with the page, while the link has not
// expired, from those that happen to it.
func byPerson(s tandem.LinkState) bool {
	return s == tandem.LinkOpened || s == tandem.LinkDone || s == tandem.LinkDeclined
}

// ending is how the page's leg ends.
func ending(l *Link) tandem.Termination {
	switch l.State {
	case tandem.LinkDone:
		if l.Handoff() {
			return tandem.Terminate(tandem.ByRemote, tandem.ReasonMoved)
		}
		return tandem.Terminate(tandem.ByRemote, tandem.ReasonCompleted)
	case tandem.LinkDeclined:
		return tandem.Terminate(tandem.ByRemote, tandem.ReasonDeclined)
	case tandem.LinkExpired:
		return tandem.Terminate(tandem.BySystem, tandem.ReasonMaxDuration)
	}
	return tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden)
}
