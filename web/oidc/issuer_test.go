package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	clientID     = "tandem"
	clientSecret = "client s3cret"
)

var b64 = base64.RawURLEncoding

// issuer is an OpenID Connect provider on loopback. Tests change what its ID tokens say.
type issuer struct {
	*httptest.Server
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	foreign *rsa.PrivateKey // in no key set

	mu       sync.Mutex
	codes    map[string]url.Values // what the browser was sent with, by code
	down     bool
	asked    int            // discoveries
	claims   map[string]any // beside the usual; nil takes one away
	signWith string         // RS256, ES256, foreign, none, HS256
	answer   string         // of the token endpoint, instead of tokens
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{codes: map[string]url.Values{}, claims: map[string]any{}, signWith: "RS256"}
	var err error
	if i.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if i.foreign, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if i.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("GET /auth", i.auth)
	mux.HandleFunc("POST /token", i.token)
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) set(f func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f()
}

func say(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that left fails its own test
}

func (i *issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked++
	if i.down {
		http.Error(w, "down", http.StatusBadGateway)
		return
	}
	say(w, 200, map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"}, "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
	})
}

func (i *issuer) keys(w http.ResponseWriter, _ *http.Request) {
	point, err := i.ecdsa.PublicKey.Bytes()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	say(w, 200, map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "r", "n": b64.EncodeToString(i.rsa.N.Bytes()), "e": b64.EncodeToString(big.NewInt(int64(i.rsa.E)).Bytes())},
		{"kty": "EC", "use": "sig", "alg": "ES256", "kid": "e", "crv": "P-256", "x": b64.EncodeToString(point[1:33]), "y": b64.EncodeToString(point[33:])},
	}})
}

// auth lets everybody in at once, as if they had logged in.
func (i *issuer) auth(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := rand.Text()
	i.set(func() { i.codes[code] = q })
	back := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {i.URL}}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	if id, _ = url.QueryUnescape(id); id != clientID {
		say(w, 401, map[string]string{"error": "invalid_client"})
		return
	}
	if secret, _ = url.QueryUnescape(secret); secret != clientSecret {
		say(w, 401, map[string]string{"error": "invalid_client"})
		return
	}
	begun, ok := i.codes[r.PostFormValue("code")]
	delete(i.codes, r.PostFormValue("code"))
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || begun.Get("redirect_uri") != r.PostFormValue("redirect_uri") || begun.Get("code_challenge_method") != "S256" || begun.Get("code_challenge") != b64.EncodeToString(challenge[:]) {
		say(w, 400, map[string]string{"error": "invalid_grant", "error_description": "token-like-secret-in-answer"})
		return
	}
	if i.answer != "" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(i.answer)) // a client that left fails its own test
		return
	}
	claims := map[string]any{
		"iss": i.URL, "sub": "s-1", "aud": clientID, "nonce": begun.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"email": "Ann@bank.example", "email_verified": true, "name": "Ann", "groups": []string{"everybody", "flow-team"},
	}
	for name, v := range i.claims {
		if claims[name] = v; v == nil {
			delete(claims, name)
		}
	}
	say(w, 200, map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": i.sign(claims)})
}

// sign makes a JWT in one of the ways of signWith.
func (i *issuer) sign(claims map[string]any) string {
	header := map[string]string{"typ": "JWT", "alg": i.signWith, "kid": "r"}
	switch i.signWith {
	case "ES256":
		header["kid"] = "e"
	case "foreign":
		header["alg"] = "RS256"
	}
	h, _ := json.Marshal(header) // of strings
	c, _ := json.Marshal(claims) // of what tests put in
	text := b64.EncodeToString(h) + "." + b64.EncodeToString(c)
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	switch i.signWith {
	case "RS256":
		signature, _ = rsa.SignPKCS1v15(nil, i.rsa, crypto.SHA256, sum[:])
	case "foreign":
		signature, _ = rsa.SignPKCS1v15(nil, i.foreign, crypto.SHA256, sum[:])
	case "ES256":
		r, s, _ := ecdsa.Sign(rand.Reader, i.ecdsa, sum[:])
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case "HS256":
		signature = sum[:]
	}
	return text + "." + strings.TrimRight(b64.EncodeToString(signature), "=")
}
