package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tandem"
	"tandem/media/record"
	"tandem/media/wav"
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
		all := keptOf(story)
		if len(all) == 0 {
			return tandem.Errorf(tandem.CodeNotFound, "interaction %s has no voicemail, recording or picture", story.Interaction.Number)
		}
		written := []string{}
		for _, k := range all {
			path := filepath.Join(c.String("out"), string(story.Interaction.Number)+"-"+k.name)
			if path, err = exportKept(c, j, k, path, why); err != nil { // the others are written all the same
				fmt.Fprintf(c.App.ErrWriter, "not written: %s: %v\n", k.name, err)
				continue
			}
			written = append(written, path)
		}
		if c.Bool("json") {
			err = writeJSON(c.App.Writer, written)
		} else {
			_, err = io.WriteString(c.App.Writer, strings.Join(append(written, ""), "\n"))
		}
		if missing := len(all) - len(written); missing > 0 {
			err = errors.Join(err, tandem.Errorf(tandem.CodeInvalid, "%d of %d were not written", missing, len(all)))
		}
		return err
	})
}

// exportKept writes one object for its owner's eyes and returns its path with the ending that
// is its form's. Nothing is opened, and noted as looked at, that cannot be written; a file that
// is there already is not replaced, one that could not be finished does not stay.
func exportKept(c *cli.Context, j journal, k keptObject, path, why string) (_ string, err error) {
	if k.open {
		return "", errors.New("it is still being recorded; export it once the talk is over")
	}
	var head []byte
	ending, known := endings[k.MediaType]
	if !known {
		ending = ".wav"
		if head, err = wav.Head(k.MediaType, k.Size); err != nil {
			return "", err
		}
	}
	path += ending
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(path)
		}
	}()
	content, _, err := j.OpenBlob(c.Context, k.ID, operator(), why)
	if err != nil {
		return "", err
	}
	defer content.Close()
	if ending == ".webm" {
		if head, err = seekable(content); err != nil {
			return "", err
		}
	}
	if _, err := f.Write(head); err != nil {
		return "", err
	}
	_, err = io.Copy(f, content)
	return path, err
}

// endings are those of what is written as it is kept; of a film but its head.
var endings = map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "video/webm": ".webm", "audio/webm": ".webm"}

// seekable reads a film through and returns the head that gives it a duration and an index. What
// follows the head is read next. One that is none of ours stays as it is.
func seekable(content io.ReadSeeker) (head []byte, err error) {
	film, err := record.Read(content)
	if errors.Is(err, record.ErrForm) {
		film, err = record.Film{}, nil
	}
	if err == nil {
		_, err = content.Seek(film.From, io.SeekStart)
	}
	return film.Head, err
}
