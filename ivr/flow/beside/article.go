package beside

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

const (
	maxArticle = 64 << 10 // bytes of one article: nobody reads more in a chat
	maxWords   = 200      // of one article
)

const articleHead = "begin the file with ---, title:, words: and language: lines, and another ---"

// Article reads one article of a knowledge folder: a head between two lines of ---,
// then its text. nil if it has no head.
func Article(f *source.File, data []byte) *flow.Article {
	text := strings.ReplaceAll(strings.ReplaceAll(string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))), "\r\n", "\n"), "\r", "\n")
	start := source.Place{Line: 1, Col: 1}
	if len(data) > maxArticle {
		f.Report(source.Error, start, 1, "file-size", "make several articles of it", "the article has %d bytes; %d are allowed", len(data), maxArticle)
		return nil
	}
	if !utf8.ValidString(text) {
		f.Report(source.Error, start, 1, "encoding", "save the file as UTF-8", "the file is not UTF-8")
		return nil
	}
	rest, ok := strings.CutPrefix(text, "---\n")
	head, body, closed := strings.Cut(rest, "\n---\n")
	if !closed {
		head, closed = strings.CutSuffix(rest, "\n---")
	}
	if !ok || !closed {
		f.Report(source.Error, start, 1, "article", articleHead, "the article has no head")
		return nil
	}
	if !f.Parse([]byte("---\n" + head + "\n")) {
		return nil
	}
	f.Fields(f.Root, "an article's head", "title", "words", "language")
	a := &flow.Article{File: f.Base, Text: strings.TrimSpace(body)}
	for _, k := range []string{"title", "words", "language"} {
		if f.Root.Get(k) == nil {
			f.Fail(&source.Node{At: f.Root.At}, "missing-key", "add a line `"+k+": …`", "the article's head has no `%s`", k)
		}
	}
	if n := f.Root.Get("title"); n != nil {
		a.Title, _ = f.Text(n, "title")
	}
	if n := f.Root.Get("words"); n != nil {
		a.Words = words(f, n, "a word", maxWords)
	}
	if n := f.Root.Get("language"); n != nil {
		if tag, ok := f.Text(n, "language"); ok && !source.IsLanguage(tag) {
			f.Fail(n, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", tag)
		} else {
			a.Lang = tag
		}
	}
	if a.Text == "" {
		f.Report(source.Error, start, 1, "article", "write the answer below the second ---", "the article says nothing")
	}
	return a
}
