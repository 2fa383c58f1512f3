package staff

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

func secretOf(t *testing.T, uri string) string {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || len(u.Query().Get("secret")) != 32 {
		t.Fatalf("%s, %v", uri, err)
	}
	return u.Query().Get("secret")
}

// codeAt is the code that an authenticator shows so long from now.
func (p *place) codeAt(t *testing.T, secret string, from time.Duration) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, p.clock.Now().Add(from))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// withCodes makes a user who logs in with codes; the first code is used up.
func withCodes(t *testing.T, p *place) (secret string, l Login, recovery []string) {
	t.Helper()
	p.add(t, "ann", Operator)
	_, l = p.enter(t, "ann", "")
	uri, err := p.BeginTOTP(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	secret = secretOf(t, uri)
	if _, err := p.ConfirmTOTP(t.Context(), l, "000000"); !errors.Is(err, ErrWrong) {
		t.Fatalf("a wrong code: %v", err)
	}
	if recovery, err = p.ConfirmTOTP(t.Context(), l, p.codeAt(t, secret, 0)); err != nil || len(recovery) != recoveryCodes {
		t.Fatalf("%v, %v", recovery, err)
	}
	return secret, l, recovery
}

func TestCodesCountOnce(t *testing.T) {
	p := newPlace(t)
	secret, l, _ := withCodes(t, p)
	try := func(code string) error {
		_, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: good, Code: code})
		return err
	}
	if err := try(""); !errors.Is(err, ErrCodeRequired) {
		t.Errorf("without a code: %v", err)
	}
	if _, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: "nonsense words here"}); !errors.Is(err, ErrWrong) {
		t.Errorf("a code is asked for before the password fits: %v", err)
	}
	if err := try(p.codeAt(t, secret, 0)); !errors.Is(err, ErrWrong) {
		t.Errorf("the code that set it up, again: %v", err)
	}
	for _, step := range []struct {
		name string
		pass time.Duration
		from time.Duration
		want error
	}{
		{"a clock that is behind", 90 * time.Second, -30 * time.Second, nil},
		{"the same code again", 0, -30 * time.Second, ErrWrong},
		{"the code of now", 0, 0, nil},
		{"one older than the newest taken", 0, -30 * time.Second, ErrWrong},
		{"a clock that is ahead", 0, 30 * time.Second, nil},
		{"now, after ahead", 0, 0, ErrWrong},
		{"two steps ahead", 0, 60 * time.Second, ErrWrong},
		{"two steps behind", 300 * time.Second, -60 * time.Second, ErrWrong},
		{"now", 0, 0, nil},
	} {
		p.clock.Add(step.pass)
		if err := try(p.codeAt(t, secret, step.from)); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
	}
	if _, err := p.BeginTOTP(t.Context(), l); !errors.Is(err, ErrHasTOTP) {
		t.Errorf("set up twice: %v", err)
	}
}

func TestRecoveryCodes(t *testing.T) {
	p := newPlace(t)
	_, _, recovery := withCodes(t, p)
	for i, want := range []error{nil, ErrWrong} {
		_, _, err := p.Enter(t.Context(), Attempt{Name: "ann", Password: good, Code: recovery[3]})
		if !errors.Is(err, want) {
			t.Errorf("try %d: %v, want %v", i, err, want)
		}
	}
	p.enter(t, "ann", " "+recovery[4]+" ")
	p.add(t, "bob", Operator)
	_, bob := p.enter(t, "bob", "")
	if err := p.RemoveTOTP(t.Context(), bob, recovery[5]); !errors.Is(err, ErrWrong) {
		t.Errorf("another's recovery code: %v", err)
	}
}

func TestRemoveCodes(t *testing.T) {
	p := newPlace(t)
	secret, l, recovery := withCodes(t, p)
	if err := p.RemoveTOTP(t.Context(), l, "123456"); !errors.Is(err, ErrWrong) {
		t.Errorf("by a wrong code: %v", err)
	}
	p.clock.Add(time.Minute)
	if err := p.RemoveTOTP(t.Context(), l, p.codeAt(t, secret, 0)); err != nil {
		t.Fatal(err)
	}
	p.enter(t, "ann", "")
	u, err := p.User(t.Context(), "ann")
	if err != nil || u.TOTP {
		t.Errorf("%+v, %v", u, err)
	}
	if err := p.RemoveTOTP(t.Context(), l, recovery[0]); !errors.Is(err, ErrWrong) {
		t.Errorf("twice: %v", err)
	}
	if _, err := p.ConfirmTOTP(t.Context(), l, p.codeAt(t, secret, 30*time.Second)); !errors.Is(err, ErrWrong) {
		t.Errorf("the old secret comes back: %v", err)
	}
}

func TestResetTakesCodesAway(t *testing.T) {
	p := newPlace(t)
	_, _, recovery := withCodes(t, p)
	if _, err := p.Reset(t.Context(), operator, "ann", good, false); err != nil {
		t.Fatal(err)
	}
	_, l := p.enter(t, "ann", "")
	if l.User.TOTP {
		t.Error("codes are still asked for")
	}
	if err := p.RemoveTOTP(t.Context(), l, recovery[0]); !errors.Is(err, ErrWrong) {
		t.Errorf("an old recovery code: %v", err)
	}
}
