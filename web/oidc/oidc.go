// Package oidc speaks with an OpenID Connect provider: the code flow with PKCE, and
// everything that must hold of an ID token before its claims are believed.
//
// It starts no goroutine. The provider is asked what it is when somebody first wants in,
// so one that is down delays nothing but logins by it. It never logs, and no error of it
// has a token, a code or a secret in it.
package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"tandem/store/staff"
	"tandem/web/login"
)

// Options says who the provider is and what of it is ours.
type Options struct {
	ID, Name     string // in addresses; on the login page
	Issuer       string // exactly as the provider writes it
	ClientID     string
	ClientSecret string
	Scopes       []string              // beside openid
	NameClaim    string                // who the user is here, such as email
	RolesClaim   string                // where roles stand; dots lead into objects
	Roles        map[string]staff.Role // from what stands there to ours

	Now       func() time.Time  // time.Now if nil
	Transport http.RoundTripper // http.DefaultTransport if nil
}

// Bounds of what is asked of a provider.
const (
	requestTime  = 10 * time.Second // for one request
	exchangeTime = 20 * time.Second // for a code: token and keys
	answerBytes  = 1 << 20          // of one answer
	retryAfter   = 5 * time.Second  // a provider that did not answer is asked again
	maxSubject   = 255              // characters, OpenID Connect Core section 2
)

// Provider is one of them. What its discovery said is kept once it has answered.
type Provider struct {
	o      Options
	client *http.Client

	mu     sync.Mutex // guards what follows; held while discovery runs, so that one asks for all
	found  *oidc.Provider
	failed error
	at     time.Time // when it failed
}

var _ login.Provider = (*Provider)(nil)

// New makes a Provider without asking it anything.
func New(o Options) *Provider {
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Provider{o: o, client: &http.Client{Transport: bounded{o.Transport}, Timeout: requestTime}}
}

// ID is the provider's name in addresses.
func (p *Provider) ID() string { return p.o.ID }

// Name is the provider's name on the login page.
func (p *Provider) Name() string { return p.o.Name }

// bounded cuts off answers that are too long.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, answerBytes), resp.Body}
	}
	return resp, err
}

// discover asks the provider what it is, once; one that fails is asked again a little
// later.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.failed != nil && p.o.Now().Sub(p.at) < retryAfter {
		return nil, p.failed
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(context.WithoutCancel(ctx), p.client), requestTime)
	defer cancel()
	p.found, p.failed = oidc.NewProvider(ctx, p.o.Issuer)
	p.at = p.o.Now()
	return p.found, p.failed
}

func (p *Provider) oauth(found *oidc.Provider, redirect string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.o.ClientID, ClientSecret: p.o.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.o.Scopes...)}
}

// Away returns where the browser is sent to.
func (p *Provider) Away(ctx context.Context, t login.Trip) (string, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", errors.Join(login.ErrUnreached, err)
	}
	return p.oauth(found, t.Redirect).AuthCodeURL(t.State, oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)), nil
}

// Back exchanges the code for an ID token, checks that, and maps its claims.
func (p *Provider) Back(ctx context.Context, t login.Trip, code string, issuer *string) (staff.Claims, error) {
	if issuer != nil && *issuer != p.o.Issuer { // RFC 9207
		return staff.Claims{}, refused("the answer is another issuer's")
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), exchangeTime)
	defer cancel()
	found, err := p.discover(ctx)
	if err != nil {
		return staff.Claims{}, errors.Join(login.ErrUnreached, err)
	}
	tokens, err := p.oauth(found, t.Redirect).Exchange(ctx, code, oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return staff.Claims{}, exchangeError(err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return staff.Claims{}, refused("it gave no ID token")
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.o.ClientID, Now: p.o.Now}).Verify(ctx, raw)
	if err != nil {
		return staff.Claims{}, refused(err.Error())
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(t.Nonce)) != 1 {
		return staff.Claims{}, refused("the ID token was made for another login")
	}
	return p.claims(id)
}

func refused(why string) error { return fmt.Errorf("%s: %w", why, login.ErrRefused) }

// exchangeError keeps the provider's whole answer, which may have tokens in it, out of
// the error.
func exchangeError(err error) error {
	var no *oauth2.RetrieveError
	if errors.As(err, &no) {
		return refused(fmt.Sprintf("it does not take the code: status %d, %q", no.Response.StatusCode, no.ErrorCode))
	}
	var unreached *url.Error
	if errors.As(err, &unreached) {
		return errors.Join(login.ErrUnreached, err)
	}
	return refused("its answer to the code cannot be read")
}

// claims maps an ID token that has been verified.
func (p *Provider) claims(id *oidc.IDToken) (c staff.Claims, err error) {
	all := map[string]any{}
	if err := id.Claims(&all); err != nil {
		return c, refused("the ID token's claims cannot be read")
	}
	if azp, ok := all["azp"].(string); (ok && azp != p.o.ClientID) || (!ok && len(id.Audience) > 1) {
		return c, refused("the ID token was made for another client") // OpenID Connect Core, section 3.1.3.7
	}
	if id.Subject == "" || len(id.Subject) > maxSubject {
		return c, refused("the ID token names no subject")
	}
	if verified, ok := all["email_verified"].(bool); p.o.NameClaim == "email" && ok && !verified {
		return c, refused("the provider has not verified the address of mail")
	}
	said, _ := all[p.o.NameClaim].(string)
	c = staff.Claims{Provider: p.o.ID, Subject: id.Subject}
	if c.Name, err = staff.Name(said); err != nil {
		return c, refused(fmt.Sprintf("claim %s: %v", p.o.NameClaim, err))
	}
	display, _ := all["name"].(string)
	if c.Display, err = staff.Display(display, c.Name); err != nil {
		c.Display = c.Name
	}
	for _, role := range staff.Roles() { // in one order, so that a change shows
		if slices.ContainsFunc(values(all, p.o.RolesClaim), func(v string) bool { return p.o.Roles[v] == role }) {
			c.Roles = append(c.Roles, role)
		}
	}
	if len(c.Roles) == 0 {
		return c, login.ErrNoRole
	}
	return c, nil
}

// values finds the texts of a claim: one, or a list of them. Dots lead into objects,
// unless a claim has the whole name.
func values(claims map[string]any, path string) []string {
	v, whole := claims[path]
	if !whole {
		first, rest, deeper := strings.Cut(path, ".")
		if inner, ok := claims[first].(map[string]any); ok && deeper {
			return values(inner, rest)
		}
	}
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		out := []string{}
		for _, item := range v {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
