// Package expression compiles and evaluates what a flow designer writes inside an
// if, a set or ${…}: typed names in, a value out. It is pure: no clock, no network,
// no randomness, and what a customer typed is data, never source.
package expression

// Kind is the kind of a type of the flow language.
type Kind string

const (
	Text      Kind = "text" // also what "string" means
	Digits    Kind = "digits"
	Int       Kind = "int"
	Decimal   Kind = "decimal"
	Money     Kind = "money"
	Date      Kind = "date"
	Time      Kind = "time"
	DateTime  Kind = "datetime" // the type of now; no variable has it
	Duration  Kind = "duration" // of 60s; no variable has it
	Bool      Kind = "bool"
	Phone     Kind = "phone"
	Email     Kind = "email"
	Recording Kind = "recording"
	Enum      Kind = "enum"
	List      Kind = "list"
	Object    Kind = "object"
	Any       Kind = "any" // only for values not declared, such as a list's unknown elements
)

// Type is a type of the flow language.
type Type struct {
	Kind   Kind
	Values []string         // of an enum
	Elem   *Type            // of a list; nil = any
	Fields map[string]*Type // of an object
}
