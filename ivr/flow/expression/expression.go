// Package expression compiles and evaluates what a flow designer writes inside an
// if, a set or ${…}: typed names in, a value out. It is pure: no clock, no network,
// no randomness, and what a customer typed is data, never source.
//
// The grammar is that of expr-lang/expr, whose parser it uses. Types, secrets and
// evaluation are its own, because the language's types (enum, digits, money, date)
// and the flow of secrets are more than expr's checker knows, and amounts must be
// exact. It starts no goroutine; everything it makes may be shared between them.
//
// At run time text, digits, phone, email, recording, enum, date ("2026-11-23") and
// time ("15:04") are a string, int an int, decimal and money a Number, bool a bool,
// list an []any, object a map[string]any, datetime a time.Time and duration a
// time.Duration.
package expression

import (
	"slices"
	"strings"
)

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
	Fields map[string]*Type // of an object; nil = not declared, nothing in it can be named
}

// String writes the type as a message would: "enum (basic, gold)", "list of text".
func (t *Type) String() string {
	switch {
	case t == nil:
		return string(Any)
	case t.Kind == Enum:
		return "enum (" + strings.Join(t.Values, ", ") + ")"
	case t.Kind == List && t.Elem != nil:
		return "list of " + t.Elem.String()
	}
	return string(t.Kind)
}

// Elements is the type of a list's elements: any where none is declared.
func (t *Type) Elements() *Type {
	if t.Elem == nil {
		return anyType()
	}
	return t.Elem
}

func anyType() *Type         { return &Type{Kind: Any} }
func simple(kind Kind) *Type { return &Type{Kind: kind} }

func (t *Type) numeric() bool { return t.Kind == Int || t.Kind == Decimal || t.Kind == Money }

func (t *Type) textual() bool {
	switch t.Kind {
	case Text, Digits, Date, Time, Phone, Email, Recording, Enum:
		return true
	}
	return false
}

// Error is a mistake in an expression or a template, fit to be shown to its writer.
type Error struct {
	Col     int // where, counted in characters from 1
	Message string
	Hint    string // what to write instead; "" = nothing better is known
}

func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + ": " + e.Hint
}

// Env is the names an expression may use, with their types. Declare all of them,
// then compile: an Env is not safe to change while it is used.
type Env struct{ names map[string]declared }

type declared struct {
	t      *Type
	secret bool
}

// NewEnv makes an Env without names.
func NewEnv() *Env { return &Env{names: map[string]declared{}} }

// Declare adds a name or replaces it.
func (e *Env) Declare(name string, t *Type, secret bool) { e.names[name] = declared{t, secret} }

// With is a copy of e in which one more name is declared.
func (e *Env) With(name string, t *Type, secret bool) *Env {
	c := &Env{names: make(map[string]declared, len(e.names)+1)}
	for n, d := range e.names {
		c.names[n] = d
	}
	c.Declare(name, t, secret)
	return c
}

// Lookup finds a declared name.
func (e *Env) Lookup(name string) (t *Type, secret, ok bool) {
	d, ok := e.names[name]
	return d.t, d.secret, ok
}

// Names lists the declared names in order.
func (e *Env) Names() []string {
	names := make([]string, 0, len(e.names))
	for n := range e.names {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
