package config

import (
	"fmt"
	"sort"
	"strings"
)

// Origin says where a value comes from.
type Origin struct {
	Line, Column int    // in the file, from 1; 0 = not from the file
	Env          string // the variable's name; "" = not from the environment
}

// Problem is one thing wrong with the configuration, at its place.
type Problem struct {
	File    string // the file, or the environment variable's name where Line is 0
	Line    int
	Column  int
	Key     string // such as sip.trunks.bank.host
	Message string // one sentence
	Hint    string // what to write instead; "" = nothing better than the message
}

func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", p.Line, p.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Key != "" && !strings.Contains(p.Message, p.Key) {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems are all that is wrong, in the order of the file. It is an error.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sort() {
	sort.SliceStable(ps, func(i, j int) bool {
		a, b := ps[i], ps[j]
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
}
