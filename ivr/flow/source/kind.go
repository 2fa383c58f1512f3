package source

import (
	"path"
	"strings"
)

// Kinds of files in a flows folder, by the end of their names.
const (
	FormFile       = ".form.yaml"
	CalendarFile   = ".calendar.yaml"
	QueuesFile     = ".queues.yaml"
	ClassifierFile = ".classify.yaml"
	OperationFile  = ".operation.yaml"
	FlowFile       = ".flow.yaml"
	RepliesFile    = ".replies.yaml"
	CheckFile      = ".check.yaml"
	TestFile       = ".test.yaml"
	ArticleFile    = ".md" // in a folder of the folder KnowledgeDir

	KnowledgeDir = "knowledge"
)

// Kinds lists those that are told by the end of the name alone, in the order of reading:
// each names only things of those before it, and flows one another.
func Kinds() []string {
	return []string{FormFile, CalendarFile, QueuesFile, ClassifierFile, OperationFile, CheckFile, FlowFile, RepliesFile, TestFile}
}

// KindOf says what a file is by its name within the folder, as "x.flow.yaml" or
// "knowledge/cards/opening.md"; "" = none of a flows folder.
func KindOf(name string) string {
	dir, base := path.Split(name)
	if strings.HasPrefix(base, ".") {
		return ""
	}
	if dir != "" {
		if strings.HasSuffix(base, ArticleFile) && path.Dir(path.Dir(name)) == KnowledgeDir && !strings.HasPrefix(path.Base(dir), ".") {
			return ArticleFile
		}
		return ""
	}
	for _, k := range Kinds() {
		if strings.HasSuffix(base, k) {
			return k
		}
	}
	return ""
}
