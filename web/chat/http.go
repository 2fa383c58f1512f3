package chat

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/store"
	"tandem/web/answer"
)

// getSite tells a page what its widget is to show before anybody has said a word.
func (d *Door) getSite(w http.ResponseWriter, r *http.Request) {
	entry := "chat:" + r.FormValue("site")
	if code := r.FormValue("qr"); code != "" {
		entry = "qr:" + code
	}
	site, known := d.o.Sites(entry)
	from, given, ok := origin(r)
	if given && (!ok || (!d.isOwn(r, from) && (!known || !lists(site.Origins, from)))) {
		refuseOrigin(w)
		return
	}
	allow(w, from)
	if !known {
		answer.Refuse(w, http.StatusNotFound, "not_found", "There is no chat of this name.")
		return
	}
	answer.JSON(w, http.StatusOK, site.view())
}

// postLink answers with the address of a link that a message offers.
func (d *Door) postLink(w http.ResponseWriter, r *http.Request, c chat.Conversation) {
	id := tandem.LinkID(r.PathValue("id"))
	has, err := d.o.Book.HasLink(r.Context(), c.ID, id)
	if err != nil {
		d.failed(w, r, err)
		return
	}
	if !has || d.o.Links == nil {
		answer.Refuse(w, http.StatusNotFound, "not_found", "This conversation has no such link.")
		return
	}
	url, err := d.o.Links(r.Context(), c.ID, id)
	if err != nil {
		d.refuse(w, r, c, err)
		return
	}
	answer.JSON(w, http.StatusOK, struct {
		URL string `json:"url"`
	}{url})
}

// maxPhone is longer than any number somebody writes, in bytes.
const maxPhone = 40

// postCallback asks for a call: a code goes to the number, and only who has it books.
func (d *Door) postCallback(w http.ResponseWriter, r *http.Request, c chat.Conversation) {
	var ask struct {
		Phone string    `json:"phone"`
		At    time.Time `json:"at"`
	}
	if !answer.Read(w, r, &ask) {
		return
	}
	site, _ := d.o.Sites(c.Entry)
	if d.o.Callback == nil || !site.CallBack {
		answer.Refuse(w, http.StatusNotFound, "not_found", "Calls cannot be booked here.")
		return
	}
	if ask.Phone == "" || len(ask.Phone) > maxPhone {
		answer.Refuse(w, http.StatusUnprocessableEntity, "phone", "Give the phone number to call.")
		return
	}
	address := d.source(r)
	if wait := d.limits.take(perHour("call", d.o.Limits.CallbacksPerHour), answer.Network(address)); wait > 0 {
		tooMany(w, wait)
		return
	}
	check, err := d.o.Callback.Ask(r.Context(), c.ID, ask.Phone, ask.At, address.String())
	if err != nil {
		d.refuse(w, r, c, err)
		return
	}
	answer.JSON(w, http.StatusAccepted, struct {
		Check string `json:"check"`
	}{check})
}

// postCode books the call.
func (d *Door) postCode(w http.ResponseWriter, r *http.Request, c chat.Conversation) {
	var ask struct {
		Code string `json:"code"`
	}
	if !answer.Read(w, r, &ask) {
		return
	}
	if d.o.Callback == nil {
		answer.Refuse(w, http.StatusNotFound, "not_found", "Calls cannot be booked here.")
		return
	}
	if wait := d.limits.take(coding, string(c.ID)); wait > 0 {
		tooMany(w, wait)
		return
	}
	number, at, err := d.o.Callback.Confirm(r.Context(), c.ID, r.PathValue("check"), ask.Code)
	if err != nil {
		d.refuse(w, r, c, err)
		return
	}
	answer.JSON(w, http.StatusOK, struct {
		Number tandem.Number `json:"number"`
		At     time.Time     `json:"at,omitzero"`
	}{number, at})
}

// refuse answers an error that may be meant for the customer, in their language.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, c chat.Conversation, err error) {
	var no *Refused
	switch {
	case errors.As(err, &no):
		say := no.Message[c.Lang]
		if say == "" {
			say = no.Message["en"]
		}
		if no.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(seconds(no.RetryAfter)))
			answer.Refuse(w, http.StatusTooManyRequests, no.Code, say)
			return
		}
		answer.Refuse(w, http.StatusUnprocessableEntity, no.Code, say)
	case errors.Is(err, store.ErrNotFound):
		answer.Refuse(w, http.StatusNotFound, "not_found", "There is nothing of this name, or no longer.")
	case errors.Is(err, store.ErrErased):
		answer.Refuse(w, http.StatusGone, "erased", "This was erased.")
	default:
		d.failed(w, r, err)
	}
}
