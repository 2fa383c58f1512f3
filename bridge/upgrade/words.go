package upgrade

import (
	"strings"

	"tandem"
)

// Version is that of the words by which customers are asked. It grows with every change of
// theirs, so that the journal says which ones somebody has agreed to.
const Version = "2026-11-22"

// Languages are those in which customers are asked; others read the first.
var languages = []string{"en", "zh-CN"}

// wordsFor are the sentences of a consent. NAMES stands for those who will see and hear.
type wordsFor struct {
	voice, video, pictures           string // who
	somebody                         string // a name that is not known
	why                              string // WHY stands for the reason
	kept, keptPictures, unkept, stop string
	keep, keepPictures               string // from now on
	and, comma                       string
}

var words = map[string]wordsFor{
	"en": {
		voice:    "NAMES will hear you, and you will hear them.",
		video:    "NAMES will see and hear you, and you will see and hear them.",
		pictures: "NAMES will see what your camera shows. You go on speaking by telephone.",
		somebody: "The agent", why: "Why: WHY.",
		kept:         "Sound and pictures are recorded and kept with this conversation.",
		keptPictures: "The pictures are recorded and kept with this conversation.",
		keep:         "If you agree, sound and pictures are recorded from now on and kept with this conversation.",
		keepPictures: "If you agree, the pictures are recorded from now on and kept with this conversation.",
		unkept:       "Nothing is recorded.",
		stop:         "Colleagues may join to help or to assure quality; whoever takes part is shown to you. You can switch off camera or microphone or end this at any time; the chat goes on.",
		and:          " and ", comma: ", ",
	},
	"zh-CN": {
		voice:    "NAMES将听到您的声音，您也会听到对方的声音。",
		video:    "NAMES将看到您并听到您的声音，您也会看到并听到对方。",
		pictures: "NAMES将看到您的摄像头画面。您继续通过电话通话。",
		somebody: "客服", why: "原因：WHY。",
		kept:         "声音和画面将被录制，并随本次会话保存。",
		keptPictures: "画面将被录制，并随本次会话保存。",
		keep:         "如您同意，从现在起声音和画面将被录制，并随本次会话保存。",
		keepPictures: "如您同意，从现在起画面将被录制，并随本次会话保存。",
		unkept:       "不会录制。",
		stop:         "同事可能加入协助或检查服务质量，参与者会显示给您。您可以随时关闭摄像头或麦克风，或结束通话；文字聊天不受影响。",
		and:          "和", comma: "、",
	},
}

// Text is what a customer agrees to, in a language: who, why, and what is kept.
func (u *Upgrades) Text(lang string, is Upgrade, l tandem.Level) string {
	w := words[language(lang)]
	who := w.voice
	switch {
	case is.Pictures:
		who = w.pictures
	case l == tandem.LevelVideo:
		who = w.video
	}
	var names []string
	for _, p := range is.Who {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		names = []string{w.somebody}
	}
	list := names[0]
	if n := len(names); n > 1 {
		list = strings.Join(names[:n-1], w.comma) + w.and + names[n-1]
	}
	said := []string{strings.ReplaceAll(who, "NAMES", list)}
	if is.Why != "" && is.By != ByCustomer {
		why := is.Why
		if known := Reasons[why]; known != nil {
			why = known[language(lang)]
		}
		said = append(said, strings.ReplaceAll(w.why, "WHY", strings.TrimRight(why, ".。!！")))
	}
	switch {
	case !is.Kept && !is.Keeps:
		said = append(said, w.unkept)
	case is.Pictures:
		said = append(said, w.keptPictures)
	default:
		said = append(said, w.kept)
	}
	said = append(said, w.stop)
	if language(lang) == "en" {
		return strings.Join(said, " ")
	}
	return strings.Join(said, "")
}

// Reasons are those for which voice or video is asked that are known by a word, as customers
// read them.
var Reasons = map[string]map[string]string{
	"talk":     {"en": "to talk it through", "zh-CN": "方便把事情说清楚"},
	"see":      {"en": "to see what you see", "zh-CN": "看看您遇到的情况"},
	"identity": {"en": "to check who you are", "zh-CN": "核验您的身份"},
}

// plainReason is a reason as the journal has it.
func plainReason(why string) string {
	if known := Reasons[why]; known != nil {
		return known["en"]
	}
	return why
}

// KeepText is said, in a language, where what runs unrecorded becomes recorded: Keep.
func KeepText(lang string, pictures bool) string {
	w := words[language(lang)]
	if pictures {
		return w.keepPictures
	}
	return w.keep
}

// Texts are what a customer agrees to, by language.
func (u *Upgrades) Texts(is Upgrade) map[string]string {
	all := map[string]string{}
	for _, lang := range languages {
		all[lang] = u.Text(lang, is, is.Level)
	}
	return all
}

// language is the one of ours that is nearest to a customer's.
func language(lang string) string {
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		return "zh-CN"
	}
	return "en"
}
