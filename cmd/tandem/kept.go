package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tandem"
	"tandem/store"
)

// keptObject is an object of an interaction, with what its story tells of it.
type keptObject struct {
	store.BlobRef
	name    string // of its file: voicemail, voicemail-2, recording; its id if nothing is told
	whose   string // the party in a recording
	shows   string // what a film is of: camera, display
	seconds float64
	open    bool // it is still written
	cut     bool // the program ended in mid-recording
}

// keptOf are the objects that are still there.
func keptOf(s store.Story) []keptObject {
	all, at := make([]keptObject, 0, len(s.Blobs)), map[tandem.BlobID]int{}
	for n, ref := range s.Blobs {
		all, at[ref.ID] = append(all, keptObject{BlobRef: ref, name: string(ref.ID)}), n
	}
	parties, seen, gone := partiesOf(s), map[string]int{}, map[tandem.BlobID]bool{}
	for _, e := range s.Events {
		var p struct {
			tandem.Recorded
			Attachment tandem.Attachment `json:"attachment"`
		}
		if empty(e) || json.Unmarshal(e.Data, &p) != nil {
			continue
		}
		name := ""
		switch e.Kind {
		case tandem.EventVoicemail:
			name = "voicemail"
		case tandem.EventTaken:
			name = "taken"
		case tandem.EventRecording, tandem.EventRecorded:
			name = "recording"
		case tandem.EventEvidence:
			name = "still"
		case tandem.EventMessage:
			name, p.Blob = "picture", p.Attachment.Blob
		case tandem.EventDisposed:
			gone[p.Blob] = true
		}
		n, is := at[p.Blob]
		if name == "" || !is {
			continue
		}
		k := &all[n]
		if k.name == string(k.ID) {
			if seen[name]++; seen[name] > 1 {
				name = fmt.Sprintf("%s-%d", name, seen[name])
			}
			k.name = name
		}
		if whose := parties[e.Leg]; whose != "" && strings.HasPrefix(name, "recording") {
			k.whose = whose
		}
		if p.Shows != "" {
			k.shows = p.Shows
		}
		k.open, k.cut, k.seconds = e.Kind == tandem.EventRecording, p.Cut, p.Seconds
	}
	return slices.DeleteFunc(all, func(k keptObject) bool { return gone[k.ID] })
}

// partiesOf names who speaks on each leg.
func partiesOf(s store.Story) map[tandem.LegID]string {
	of := map[tandem.LegID]string{}
	for _, l := range s.Legs {
		if of[l.ID] = "a " + string(l.Role); l.Role == tandem.RoleCustomer {
			of[l.ID] = "the customer"
		}
	}
	for _, e := range s.Events {
		if e.Kind != tandem.EventJoined {
			continue
		}
		if p, err := payload[tandem.Joined](e); err == nil && p.Name != "" {
			of[e.Leg] = p.Name
		}
	}
	return of
}

// line tells what it is.
func (k keptObject) line() string {
	line := fmt.Sprintf("%s  %s, %d bytes", k.name, k.MediaType, k.Size)
	if k.open {
		line = fmt.Sprintf("%s  %s, still being recorded", k.name, k.MediaType)
	}
	switch {
	case strings.HasSuffix(k.MediaType, "channels=2"):
		line += "; " + k.whose + ", and what they hear"
	case k.shows == "display":
		line += "; the screen of " + k.whose
	case k.shows == "camera":
		line += "; " + k.whose + ", voice and camera"
	case k.whose != "":
		line += "; " + k.whose
	}
	if k.seconds > 0 {
		line += ", " + lengthOf(k.seconds)
	}
	if k.cut {
		line += ", cut by the end of the program"
	}
	return line
}
