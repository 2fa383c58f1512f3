package tandem

import "time"

// Level is what runs between customer and staff beside text.
type Level string

const (
	LevelText  Level = ""
	LevelVoice Level = "voice"
	LevelVideo Level = "video" // voice and pictures; of a caller on a telephone the pictures alone
)

// Payloads of the events of upgrades and identity checks.
type (
	// Upgraded is an upgrade as it is from now on.
	Upgraded struct {
		Upgrade UpgradeID `json:"upgrade"`
		By      string    `json:"by"` // an agent's name, "flow", "customer"
		Level   Level     `json:"level"`
		State   string    `json:"state"`          // asked, agreed, refused, lapsed, withdrawn, changed, over
		Why     string    `json:"why,omitempty"`  // asked: the reason shown; over: left, ended, lost, done
		Kept    bool      `json:"kept,omitempty"` // it is recorded
	}
	// Carried tells what of an upgrade gets through: it falls and rises with the network.
	Carried struct {
		Upgrade UpgradeID `json:"upgrade"`
		Now     Level     `json:"now"`
		Why     string    `json:"why,omitempty"` // network, camera, microphone, back
	}
	RoleLinked struct {
		Role    Role      `json:"role"`
		By      string    `json:"by"`
		Expires time.Time `json:"expires"`
		Used    string    `json:"used,omitempty"` // by whom; the first event of a link has none
		Revoked bool      `json:"revoked,omitempty"`
	}
	CheckBegun struct {
		Check   CheckID   `json:"check"`
		Policy  string    `json:"policy"`
		Hash    string    `json:"hash"` // of the policy's file
		Level   Assurance `json:"level"`
		Officer string    `json:"officer,omitempty"`
		Round   int       `json:"round"` // 1, and one more each time it begins again
	}
	CheckStep struct {
		Check CheckID        `json:"check"`
		Round int            `json:"round"`
		Step  string         `json:"step"`
		State string         `json:"state"`          // done, failed, skipped; present = it begins, and what was drawn for it; asked = of a second officer
		Said  map[string]any `json:"said,omitempty"` // what the officer noted: answers to a checklist, scores marked as advice
	}
	// Evidence is one still: Hash is the SHA-256 of its content in hex, Signature the server's
	// over Statement, which names hash, time, interaction, check, step and officer.
	Evidence struct {
		Check     CheckID `json:"check"`
		Round     int     `json:"round"`
		Step      string  `json:"step"`
		Source    string  `json:"source"` // server: a keyframe as it passed; page: the page's own, sharper
		Blob      BlobID  `json:"blob"`
		MediaType string  `json:"media_type"`
		Width     int     `json:"width"` // pixels
		Height    int     `json:"height"`
		Hash      string  `json:"hash"`
		Statement string  `json:"statement"`
		Signature string  `json:"signature"` // base64 of Ed25519 (RFC 8032)
	}
	CheckBroken struct {
		Check   CheckID `json:"check"`
		Round   int     `json:"round"`             // the one that is void
		Why     string  `json:"why"`               // cut, second_face, changed_person, officer, restart
		Seconds float64 `json:"seconds,omitempty"` // of the cut
	}
	Verdict struct {
		Check   CheckID   `json:"check"`
		Outcome string    `json:"outcome"` // passed, failed, declined; stopped = it ended without a verdict
		Level   Assurance `json:"level"`
		Reasons []string  `json:"reasons"`
		Text    string    `json:"text,omitempty"` // in the officer's words
		Officer string    `json:"officer,omitempty"`
		Second  string    `json:"second,omitempty"` // the second officer
		Until   time.Time `json:"until,omitzero"`   // how long the level holds
	}
	Disposed struct {
		Blob BlobID `json:"blob"`
		Why  string `json:"why"` // retention
	}
)
