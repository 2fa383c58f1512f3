package app

import (
	"testing"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/internal/testkit"
	"tandem/store"
)

// The page beside a call is told by name who has its caller as somebody gets them, and that they
// have left.
func TestAPageBesideACallIsToldWhoServes(t *testing.T) {
	t.Parallel()
	p := newProofLine(t, proofSetup{team: "night"})
	c, is := p.rings(t, customer)
	page := p.goesOnInChat(t, address(t, p.texts.Inbox(customer).Gets("identity check").Text))
	page.Open()
	until(t, "the page", func() bool { return p.faces.chatOf(c.id) != "" })
	phone := p.comes(t, c)
	page.Stands("who serves", func(at testkit.ChatStanding) bool {
		return at.State == "served" && at.Agent == p.agentName(t.Context(), "ella")
	})
	p.asked(t, c.id, func(now check.Check) bool { return now.ID == is.ID && now.Officer == "ella" })
	p.decides(t, is, check.Failed)
	phone.WaitBye(patience)
	page.Stands("nobody", func(at testkit.ChatStanding) bool { return at.State == "over" })
	c.Bye()
	p.shows(t, c.id, "the end", func(story store.Story) bool { return story.Interaction.State == tandem.Closed })
}
