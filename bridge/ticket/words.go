package ticket

import (
	"strings"

	"tandem"
)

func chinese(lang string) bool { return strings.HasPrefix(strings.ToLower(lang), "zh") }

// openedWords tell a customer the number: the sentence, what stands before the address,
// and what the button that opens it says.
func openedWords(lang string, n tandem.Number) (text, follow, button string) {
	if chinese(lang) {
		return "您的受理号是" + n.String() + "。", "查看进度：", "查看进度"
	}
	return "Your request has the number " + n.String() + ".", " Follow it here: ", "Follow your request"
}

// toldWords come before what an agent tells the customer.
func toldWords(lang string, n tandem.Number, told string) string {
	if chinese(lang) {
		return "关于您的受理号" + n.String() + "：" + told
	}
	return "About your request " + n.String() + ": " + told
}
