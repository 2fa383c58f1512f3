package login

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pquerna/otp"

	"tandem/store"
	"tandem/store/staff"
	"tandem/web/answer"
)

// maxBody bounds what strangers may send, in bytes.
const maxBody = 16 << 10

// Routes adds the addresses below /api/v1 that are about users and logins.
func (d *Door) Routes(mux *http.ServeMux) {
	add := func(pattern string, h http.Handler) { mux.Handle(pattern, http.MaxBytesHandler(h, maxBody)) }
	add("GET /api/v1/me", d.own(d.getMe))
	add("POST /api/v1/login", d.near(d.postLogin))
	add("POST /api/v1/logout", d.own(d.postLogout))
	add("GET /api/v1/oidc/{id}", d.near(d.toProvider))
	add("GET /api/v1/oidc/{id}/callback", d.near(d.fromProvider))
	add("POST /api/v1/me/password", d.own(d.postPassword))
	add("PUT /api/v1/me/lang", d.own(d.putLang))
	add("POST /api/v1/me/totp", d.own(d.postTOTP))
	add("POST /api/v1/me/totp/confirm", d.own(d.postConfirm))
	add("POST /api/v1/me/totp/remove", d.own(d.postRemove))
	add("GET /api/v1/users", d.Require(http.HandlerFunc(d.getUsers), staff.Operator))
	add("POST /api/v1/users", d.Require(http.HandlerFunc(d.postUsers), staff.Operator))
	add("POST /api/v1/users/{name}", d.Require(http.HandlerFunc(d.postUser), staff.Operator))
	add("GET /api/v1/audit", d.Require(http.HandlerFunc(d.getAudit), staff.Auditor, staff.Operator))
}

// me is the answer of GET /api/v1/me and of a login.
type me struct {
	User         person `json:"user"`
	CSRF         string `json:"csrf"`
	SecondPerson bool   `json:"second_person"`
}

// person is a user as they see themselves.
type person struct {
	Name       string       `json:"name"`
	Display    string       `json:"display"`
	Roles      []staff.Role `json:"roles"`
	Lang       string       `json:"lang"`
	TOTP       bool         `json:"totp"`
	Local      bool         `json:"local"`
	MustChange bool         `json:"must_change"` // the password; nothing else is let in before
	MustTOTP   bool         `json:"must_totp"`   // codes are asked for and not set up; likewise
}

func (d *Door) me(l staff.Login) me {
	u := l.User
	return me{User: person{Name: u.Name, Display: u.Display, Roles: append([]staff.Role{}, u.Roles...), Lang: u.Lang, TOTP: u.TOTP, Local: u.Provider == "",
		MustChange: u.MustChange, MustTOTP: d.mustTOTP(u)}, CSRF: l.CSRF, SecondPerson: d.o.SecondPerson}
}

// mine is the login of a request behind own.
func mine(r *http.Request) held {
	l, _ := r.Context().Value(loginKey{}).(held)
	l.Login.Source = l.from.String() // where this request comes from, for the audit log
	return l
}

func (d *Door) getMe(w http.ResponseWriter, r *http.Request) {
	answer.JSON(w, http.StatusOK, d.me(mine(r).Login))
}

func (d *Door) postLogin(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name     string `json:"name"`
		Password string `json:"password"`
		Code     string `json:"code"`
	}
	if !answer.Read(w, r, &in) {
		return
	}
	source := d.source(r)
	name, err := staff.Name(in.Name)
	if err != nil {
		name = "" // no user can have it; all such names share a count
	}
	done, wait := d.limits.try(name, source)
	if wait > 0 {
		tooMany(w, wait)
		return
	}
	token, l, err := d.staff.Enter(r.Context(), staff.Attempt{Name: name, Password: in.Password, Code: in.Code, Source: source.String(), Old: token(r)})
	done(outcomeOf(err))
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	keep(w, token)
	answer.JSON(w, http.StatusOK, d.me(l))
}

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return right
	case errors.Is(err, staff.ErrWrong), errors.Is(err, store.ErrUnavailable): // the delay must not tell these apart
		return wrong
	}
	return undecided
}

func (d *Door) postLogout(w http.ResponseWriter, r *http.Request) {
	if err := d.staff.Leave(r.Context(), mine(r).Login); err != nil {
		d.refuse(w, r, err)
		return
	}
	forget(w, cookieName, http.SameSiteStrictMode)
	w.Header().Set("Clear-Site-Data", `"cache"`)
	w.WriteHeader(http.StatusNoContent)
}

// guarded runs do, which takes a secret of the user's, under the limits of guessing it.
func (d *Door) guarded(w http.ResponseWriter, r *http.Request, do func(l staff.Login) error) bool {
	l := mine(r)
	done, wait := d.limits.try(l.User.Name, l.from)
	if wait > 0 {
		tooMany(w, wait)
		return false
	}
	err := do(l.Login)
	done(outcomeOf(err))
	if err != nil {
		if errors.Is(err, staff.ErrWrong) && !errors.Is(err, store.ErrUnavailable) { // 401 would say that the login has ended
			answer.Refuse(w, http.StatusForbidden, "wrong", "The password or code is wrong.")
			return false
		}
		d.refuse(w, r, err)
	}
	return err == nil
}

func (d *Door) postPassword(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
	if !answer.Read(w, r, &in) {
		return
	}
	fresh := ""
	ok := d.guarded(w, r, func(l staff.Login) (err error) {
		fresh, err = d.staff.SetPassword(r.Context(), l, in.Old, in.New)
		return err
	})
	if ok {
		keep(w, fresh)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (d *Door) putLang(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Lang string `json:"lang"`
	}
	if !answer.Read(w, r, &in) {
		return
	}
	if in.Lang != "" && !slices.Contains([]string{"en", "zh-CN"}, in.Lang) {
		answer.Refuse(w, http.StatusUnprocessableEntity, "invalid", "The pages speak en and zh-CN.")
		return
	}
	if err := d.staff.SetLang(r.Context(), mine(r).Login, in.Lang); err != nil {
		d.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) postTOTP(w http.ResponseWriter, r *http.Request) {
	uri, err := d.staff.BeginTOTP(r.Context(), mine(r).Login)
	if err == nil {
		var qr string
		if qr, err = picture(uri); err == nil {
			answer.JSON(w, http.StatusOK, struct {
				URI string `json:"uri"`
				QR  string `json:"qr"`
			}{uri, qr})
			return
		}
	}
	d.refuse(w, r, err)
}

// pictureSize is the width and height of a QR code, in pixels.
const pictureSize = 256

// picture is the QR code of an otpauth: address, as a data: address of a PNG.
func picture(uri string) (string, error) {
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return "", fmt.Errorf("drawing the QR code: %w", err)
	}
	img, err := key.Image(pictureSize, pictureSize)
	if err != nil {
		return "", fmt.Errorf("drawing the QR code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return "", fmt.Errorf("drawing the QR code: %w", err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

type codeBody struct {
	Code string `json:"code"`
}

func (d *Door) postConfirm(w http.ResponseWriter, r *http.Request) {
	var in codeBody
	if !answer.Read(w, r, &in) {
		return
	}
	var recovery []string
	ok := d.guarded(w, r, func(l staff.Login) (err error) {
		recovery, err = d.staff.ConfirmTOTP(r.Context(), l, in.Code)
		return err
	})
	if ok {
		answer.JSON(w, http.StatusOK, struct {
			Recovery []string `json:"recovery"`
		}{recovery})
	}
}

func (d *Door) postRemove(w http.ResponseWriter, r *http.Request) {
	var in codeBody
	if !answer.Read(w, r, &in) {
		return
	}
	if d.guarded(w, r, func(l staff.Login) error { return d.staff.RemoveTOTP(r.Context(), l, in.Code) }) {
		w.WriteHeader(http.StatusNoContent)
	}
}

// member is a user as operators see them.
type member struct {
	Name       string       `json:"name"`
	Display    string       `json:"display"`
	Roles      []staff.Role `json:"roles"`
	TOTP       bool         `json:"totp"`
	Disabled   bool         `json:"disabled"`
	MustChange bool         `json:"must_change"`
	Provider   string       `json:"provider"` // "" = a local user
	LastLogin  *time.Time   `json:"last_login"`
}

func (d *Door) getUsers(w http.ResponseWriter, r *http.Request) {
	users, err := d.staff.Users(r.Context())
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	out := []member{}
	for _, u := range users {
		m := member{Name: u.Name, Display: u.Display, Roles: append([]staff.Role{}, u.Roles...), TOTP: u.TOTP, Disabled: u.Disabled, MustChange: u.MustChange, Provider: u.Provider}
		if !u.LastLogin.IsZero() {
			m.LastLogin = &u.LastLogin
		}
		out = append(out, m)
	}
	answer.JSON(w, http.StatusOK, struct {
		Users []member `json:"users"`
	}{out})
}

// drawnPassword tells a password once, to who made or reset the user.
type drawnPassword struct {
	Password string `json:"password,omitempty"`
}

func (d *Door) postUsers(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name    string   `json:"name"`
		Display string   `json:"display"`
		Roles   []string `json:"roles"`
	}
	if !answer.Read(w, r, &in) {
		return
	}
	u := staff.User{MustChange: true}
	var err error
	if u.Name, err = staff.Name(in.Name); err == nil {
		if u.Display, err = staff.Display(in.Display, u.Name); err == nil {
			u.Roles, err = staff.ParseRoles(in.Roles)
		}
	}
	if err != nil {
		invalid(w, err)
		return
	}
	password, err := d.staff.Add(r.Context(), mine(r).actor(), u, "")
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	answer.JSON(w, http.StatusOK, drawnPassword{password})
}

func (h held) actor() staff.Actor { return staff.Actor{Name: h.User.Name, Source: h.from.String()} }

// invalid answers what a user wrote wrong, in a sentence.
func invalid(w http.ResponseWriter, err error) {
	text := err.Error()
	answer.Refuse(w, http.StatusUnprocessableEntity, "invalid", strings.ToUpper(text[:1])+text[1:]+".")
}

func (d *Door) postUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Roles    []string `json:"roles"`
		Disabled *bool    `json:"disabled"`
		Reset    bool     `json:"reset"`
	}
	if !answer.Read(w, r, &in) {
		return
	}
	by, name := mine(r).actor(), r.PathValue("name")
	if name == by.Name {
		answer.Refuse(w, http.StatusConflict, "own", "Nobody changes their own user here: ask another operator, or use tandem user.")
		return
	}
	change := staff.Change{Disabled: in.Disabled}
	if in.Roles != nil {
		var err error
		if change.Roles, err = staff.ParseRoles(in.Roles); err != nil {
			invalid(w, err)
			return
		}
		if u, err := d.staff.User(r.Context(), name); err == nil && u.Provider != "" {
			answer.Refuse(w, http.StatusConflict, "not_local", "This user's roles come from the provider.")
			return
		}
	}
	err := d.staff.Change(r.Context(), by, name, change)
	out := drawnPassword{}
	if err == nil && in.Reset {
		out.Password, err = d.staff.Reset(r.Context(), by, name, "", true)
	}
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	answer.JSON(w, http.StatusOK, out)
}

// auditPage is how many entries of the audit log come at once.
const auditPage = 100

func (d *Door) getAudit(w http.ResponseWriter, r *http.Request) {
	before := int64(0)
	if text := r.URL.Query().Get("before"); text != "" {
		var err error
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			answer.Refuse(w, http.StatusBadRequest, "invalid", "before is the number of an entry.")
			return
		}
	}
	if before == 0 { // who looks is written down once, not for every page
		if err := d.Record(r.Context(), "audit.look", "", ""); err != nil {
			d.refuse(w, r, err)
			return
		}
	}
	entries, err := d.staff.Entries(r.Context(), before, auditPage)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	verified, err := d.verified(r)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	answer.JSON(w, http.StatusOK, struct {
		Entries  []staff.Entry `json:"entries"`
		Verified bool          `json:"verified"`
	}{entries, verified})
}

// verdictFor is how long a check of the whole audit log is believed: it reads all of it.
const verdictFor = 10 * time.Second

// verdict is the newest check of the audit log.
type verdict struct {
	mu sync.Mutex
	at time.Time
	ok bool
}

func (d *Door) verified(r *http.Request) (bool, error) {
	v := &d.verdict
	v.mu.Lock()
	defer v.mu.Unlock()
	now := d.o.Now()
	if age := now.Sub(v.at); age >= 0 && age < verdictFor {
		return v.ok, nil
	}
	_, finding, err := d.staff.Verify(r.Context())
	if err != nil {
		return false, err
	}
	if finding != "" {
		d.o.Log.Error("the audit log of staff does not verify", "finding", finding)
	}
	v.at, v.ok = now, finding == ""
	return v.ok, nil
}
