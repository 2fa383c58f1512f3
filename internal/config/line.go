package config

import (
	"net/netip"
	"regexp"
	"strings"
)

// Agent is where somebody who serves takes calls. Their teams and skills stand in the
// flows folder (*.queues.yaml); what the server dials stands here.
type Agent struct {
	Phone string `yaml:"phone"` // sip:USER@HOST, dialled without asking outbound.allow; or tel:NUMBER, by a trunk under the caps
}

// Line is the one line of calls, chats and tasks.
type Line struct {
	Verify bool `yaml:"verify"` // hold it against its invariants after every step: a test mode
}

// Webhooks are what other systems subscribe to by the API.
type Webhooks struct {
	Allow []string `yaml:"allow"` // networks of private addresses that receivers may have, such as 10.0.0.0/8
}

// agentName is the form of a staff user's name.
var agentName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,99}$`)

func (r *reader) checkLine(c *Config) {
	for _, name := range sortedNames(c.Agents) {
		key, phone := "agents."+name, c.Agents[name].Phone
		if !agentName.MatchString(name) {
			r.wrong(key, "is no name of a user: write it as tandem user does, in small letters")
		}
		number, host := splitTarget(phone)
		switch {
		case strings.HasPrefix(phone, "sip:") && host != "":
		case strings.HasPrefix(phone, "tel:") && number != "":
			if ok, why := c.Outbound.Allows(phone); !ok {
				r.wrong(key+".phone", "may not be dialled: %s", why)
			}
		default:
			r.wrong(key+".phone", "%q is no phone: write sip:USER@HOST or tel:NUMBER", phone)
		}
	}
	for _, n := range c.Webhooks.Allow {
		if _, err := netip.ParsePrefix(n); err != nil {
			r.wrong("webhooks.allow", "%q is no network: write it as 10.0.0.0/8", n)
		}
	}
}

// Networks are the private networks that receivers may lie in.
func (w Webhooks) Networks() []netip.Prefix {
	var out []netip.Prefix
	for _, n := range w.Allow {
		out = append(out, netip.MustParsePrefix(n)) // checked as it was read
	}
	return out
}
