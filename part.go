package tandem

// PartKind says how a piece of a prompt is to be spoken.
type PartKind string

const (
	PartText   PartKind = "text"
	PartNumber PartKind = "number" // Value: a decimal, "-1234.5"
	PartMoney  PartKind = "money"  // Value: amount and ISO 4217 code, "1234.50 CNY"
	PartDigits PartKind = "digits" // Value: keys read singly, "6222*#"
	PartDate   PartKind = "date"   // Value: "2026-11-23"
	PartTime   PartKind = "time"   // Value: "15:04"
)

// Part is a piece of a prompt after its expressions were worked out: the text as
// written in chat and, for values, the kind and plain value from which a voice
// joins recordings.
type Part struct {
	Kind  PartKind `json:"kind"`
	Text  string   `json:"text"`
	Value string   `json:"value,omitempty"`
}
