package app

import (
	"testing"

	"tandem"
)

// A chat that another took the place of speaks for its interaction no more.
func TestTheChatBeforeIsForgotten(t *testing.T) {
	f := &faces{pages: map[tandem.InteractionID]tandem.ConversationID{}, chats: map[tandem.ConversationID]tandem.InteractionID{}}
	f.know("i1", "before")
	f.know("i1", "now")
	if in := f.interactionOf("before"); in != "" {
		t.Errorf("the chat before still speaks for %s", in)
	}
	if f.interactionOf("now") != "i1" || f.chatOf("i1") != "now" || len(f.pages) != 1 || len(f.chats) != 1 {
		t.Errorf("%v, %v", f.pages, f.chats)
	}
	f.know("i2", "now") // one chat, another matter
	if f.chatOf("i1") != "" || f.interactionOf("now") != "i2" || len(f.pages) != 1 || len(f.chats) != 1 {
		t.Errorf("%v, %v", f.pages, f.chats)
	}
}
