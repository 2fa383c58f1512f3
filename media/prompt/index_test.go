package prompt

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"Welcome to Harbour Bank.": "welcome to harbour bank",
		"  Your   balance is ":     "your balance is",
		"。正确请按1，重新输入请按2。":          "正确请按1 重新输入请按2",
		"欢迎致电海港银行！":                "欢迎致电海港银行",
		"A. M.":                    "a m",
		"press # or *":             "press # or *",
		"1.5 and 15, not 1, 5.":    "1.5 and 15 not 1 5",
		"it’s":                     "it s",
		".":                        "",
		" ,，。":                     "",
		"minus -5":                 "minus -5",
	} {
		if got := normalise(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestReadIndexes(t *testing.T) {
	fsys := fstest.MapFS{
		"prompts/en/index.yaml":    {Data: []byte("# greetings\n\"Hello, you.\": hello.wav\none: words/one.wav\n1: words/one.wav\n")},
		"prompts/en/hello.wav":     {},
		"prompts/en/words/one.wav": {},
		"prompts/zh-CN/index.yaml": {Data: []byte("一: yi.wav\n")},
		"prompts/zh-CN/yi.wav":     {},
		"prompts/de/index.yaml":    {Data: nil},
		"prompts/README":           {},
	}
	all, err := readIndexes(fsys, true)
	if err != nil {
		t.Fatal(err)
	}
	if r := all["en"]["hello you"]; r.path != "prompts/en/hello.wav" || r.line != 2 || !r.own {
		t.Errorf("hello: %+v", r)
	}
	if len(all["en"]) != 3 || len(all["zh-cn"]) != 1 || len(all["de"]) != 0 {
		t.Errorf("read %v", all)
	}
	if all, err := readIndexes(nil, true); all != nil || err != nil {
		t.Errorf("no folder: %v %v", all, err)
	}
}

func TestReadIndexesTellsEveryMistake(t *testing.T) {
	fsys := fstest.MapFS{
		"prompts/en/a.wav": {},
		"prompts/en/index.yaml": {Data: []byte(`one: a.wav
"One.": a.wav
two: missing.wav
three: ../fr/a.wav
four: [a.wav]
"...": a.wav
five: /a.wav
six: 6
`)},
		"prompts/de/index.yaml": {Data: []byte("eins: \"a.wav\nzwei: b\n")},
		"prompts/fr/index.yaml": {Data: []byte("- un: a.wav\n")},
		"prompts/xx/index.yaml": {Data: []byte(strings.Repeat("#", maxIndex+1))},
	}
	_, err := readIndexes(fsys, true)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`prompts/en/index.yaml:2: "One." has a recording already, in line 1`,
		`prompts/en/index.yaml:3: the file missing.wav is missing`,
		`prompts/en/index.yaml:4: "../fr/a.wav" is not a file beside the index`,
		`prompts/en/index.yaml:5: the recording of "four" must be the name of a WAV file`,
		`prompts/en/index.yaml:6: "..." has no words in it`,
		`prompts/en/index.yaml:7: "/a.wav" is not a file beside the index`,
		`prompts/en/index.yaml:8: the recording of "six" must be the name of a WAV file`,
		`prompts/de/index.yaml:`,
		`prompts/fr/index.yaml:1: lines of TEXT: FILE are expected here`,
		`prompts/xx/index.yaml:1: the index is larger than 1024 KiB`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 10 {
		t.Errorf("%d mistakes told, want 10:\n%v", lines, err)
	}
	mistakes, err := Check(fsys)
	if err != nil || len(mistakes) != 10 || mistakes[1].File != "prompts/en/index.yaml" || mistakes[1].Line != 2 {
		t.Errorf("as mistakes: %v, %v", mistakes, err)
	}
}

func TestCheckOfARightFolder(t *testing.T) {
	fsys := fstest.MapFS{"prompts/en/index.yaml": {Data: []byte("one: a.wav\n")}, "prompts/en/a.wav": {}}
	if mistakes, err := Check(fsys); len(mistakes) != 0 || err != nil {
		t.Errorf("%v, %v", mistakes, err)
	}
}
