package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/media/wav"
	"tandem/store"
)

func exportInteraction(c *cli.Context) error {
	interaction, err := interactionArg(c)
	if err != nil {
		return err
	}
	why := c.String("why")
	if why == "" {
		return tandem.Errorf(tandem.CodeInvalid, "say why with --why REASON: whoever listens is noted in the journal")
	}
	return withJournal(c, toWrite, func(j journal) error {
		story, err := j.Interaction(c.Context, interaction)
		if err != nil {
			return err
		}
		if !story.Customer.Erased.IsZero() {
			return tandem.Errorf(tandem.CodeNotFound, "the customer of %s is erased, and what was recorded with them", story.Interaction.Number)
		}
		if len(story.Blobs) == 0 {
			return tandem.Errorf(tandem.CodeNotFound, "interaction %s has no voicemail, recording or picture", story.Interaction.Number)
		}
		written := []string{}
		names := blobNames(story)
		for _, ref := range story.Blobs {
			path := filepath.Join(c.String("out"), fmt.Sprintf("%s-%s%s", string(story.Interaction.Number), names[ref.ID], suffix(ref.MediaType)))
			if err := exportBlob(c, j, ref, path, why); err != nil {
				return err
			}
			written = append(written, path)
		}
		if c.Bool("json") {
			return writeJSON(c.App.Writer, written)
		}
		for _, path := range written {
			fmt.Fprintln(c.App.Writer, path)
		}
		return nil
	})
}

// blobNames names what is kept by what happened: voicemail, voicemail-2, recording.
// Of what nothing is told the id is the name.
func blobNames(s store.Story) map[tandem.BlobID]string {
	names := map[tandem.BlobID]string{}
	for _, ref := range s.Blobs {
		names[ref.ID] = string(ref.ID)
	}
	seen := map[string]int{}
	for _, e := range s.Events {
		name, kept := map[tandem.EventKind]string{tandem.EventVoicemail: "voicemail", tandem.EventTaken: "taken", tandem.EventRecorded: "recording"}[e.Kind]
		var p struct {
			tandem.Recorded
			Attachment tandem.Attachment `json:"attachment"`
		}
		if json.Unmarshal(e.Data, &p) != nil {
			continue
		}
		if e.Kind == tandem.EventMessage {
			name, kept, p.Blob = "picture", true, p.Attachment.Blob
		}
		if !kept || names[p.Blob] == "" {
			continue
		}
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, seen[name])
		}
		names[p.Blob] = name
	}
	return names
}

// pictures are the types of what customers sent, with how such files are named.
var pictures = map[string]string{"image/jpeg": ".jpg", "image/png": ".png"}

func suffix(mediaType string) string {
	if s, ok := pictures[mediaType]; ok {
		return s
	}
	return ".wav"
}

// exportBlob writes one object for its owner's eyes, a recording as a WAV file; a file
// that is there already is not replaced, one that could not be finished does not stay.
func exportBlob(c *cli.Context, j journal, ref store.BlobRef, path, why string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "writing what was kept: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			os.Remove(path)
		}
	}()
	content, ref, err := j.OpenBlob(c.Context, ref.ID, operator(), why)
	if err != nil {
		return err
	}
	defer content.Close()
	if _, picture := pictures[ref.MediaType]; !picture {
		head, err := wav.Head(ref.MediaType, ref.Size)
		if err != nil {
			return err
		}
		if _, err := f.Write(head); err != nil {
			return fmt.Errorf("writing %s: %w", ref.ID, err)
		}
	}
	if _, err := io.Copy(f, content); err != nil {
		return fmt.Errorf("reading %s: %w", ref.ID, err)
	}
	return nil
}
