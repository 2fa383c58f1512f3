package identity

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/internal/hosts"
	"tandem/store/outbox"
)

// Service is the operator's service that checks PINs and questions; docs/identity.md says
// what it is asked and has to answer.
type Service struct {
	URL    string        // "" = there is none
	Secret outbox.Secret // signs what it is asked
	Allow  []string      // hosts that may be asked, as hosts.Allowed reads them
}

const (
	serviceTimeout = 5 * time.Second // of one exchange: the customer waits for it
	maxReply       = 64 << 10        // bytes of an answer
)

// formID is what the id of a set of questions may look like: it becomes part of an address.
var formID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// service asks the operator's service.
type service struct {
	url    string
	secret outbox.Secret
	client *http.Client
	now    func() time.Time
	random io.Reader
}

// body is who a check is about: what the customer is known by on this leg.
type body struct {
	Customer tandem.CustomerID `json:"customer,omitempty"`
	Phone    string            `json:"phone,omitempty"`   // E.164
	Account  string            `json:"account,omitempty"` // at a messenger
}

func newService(s Service, now func() time.Time, random io.Reader) (*service, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("identity.service is no http or https address without a query")
	}
	if !hosts.Allowed(s.Allow, u) {
		return nil, fmt.Errorf("the host of identity.service, %s, is not on the list of allowed hosts (flows.http_allow)", u.Host)
	}
	dial := &net.Dialer{Timeout: serviceTimeout}
	return &service{
		url: strings.TrimSuffix(s.URL, "/"), secret: s.Secret, now: now, random: random,
		client: &http.Client{
			Timeout:       serviceTimeout,
			Transport:     &http.Transport{DialContext: dial.DialContext, MaxConnsPerHost: 64, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// pin has a PIN checked.
func (s *service) pin(ctx context.Context, b body, pin string) (checked, error) {
	return s.graded(ctx, "/identify/pin", struct {
		body
		PIN string `json:"pin"`
	}{b, pin})
}

// questions has the service choose what to ask; none if it knows nothing to ask.
func (s *service) questions(ctx context.Context, b body) (asked, error) {
	var reply struct {
		ID        string     `json:"id"`
		Questions []question `json:"questions"`
	}
	status, err := s.post(ctx, "/identify/questions", b, &reply)
	switch {
	case err != nil:
		return asked{}, err
	case status == http.StatusNotFound || status == http.StatusLocked:
		return asked{}, nil
	case status != http.StatusOK || !formID.MatchString(reply.ID):
		return asked{}, fmt.Errorf("questions: status %d, or an id that is none", status)
	}
	return asked{Form: reply.ID, Questions: reply.Questions}, nil
}

// answers has all answers to a set of questions checked.
func (s *service) answers(ctx context.Context, form string, questions []question, answers []string) (checked, error) {
	by := make(map[string]string, len(questions))
	for i, q := range questions {
		by[q.ID] = answers[i]
	}
	return s.graded(ctx, "/identify/questions/"+form, map[string]any{"answers": by})
}

func (s *service) graded(ctx context.Context, path string, what any) (checked, error) {
	var reply struct {
		OK     *bool `json:"ok"`
		Locked bool  `json:"locked"`
	}
	status, err := s.post(ctx, path, what, &reply)
	switch {
	case err != nil:
		return checked{}, err
	case status == http.StatusLocked || reply.Locked:
		return checked{Locked: true}, nil
	case status != http.StatusOK || reply.OK == nil:
		return checked{}, fmt.Errorf("status %d, or no ok in the answer", status)
	}
	return checked{OK: *reply.OK}, nil
}

// post makes one signed exchange. Errors name nothing that was sent, and no path.
func (s *service) post(ctx context.Context, path string, what, reply any) (status int, err error) {
	sent, err := json.Marshal(what)
	if err != nil {
		return 0, errors.New("the question cannot be written")
	}
	var raw [16]byte
	if _, err := io.ReadFull(s.random, raw[:]); err != nil {
		return 0, fmt.Errorf("making an id: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(sent))
	if err != nil {
		return 0, errors.New("the question cannot be addressed")
	}
	id, now := "check_"+hex.EncodeToString(raw[:]), s.now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tandem")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("webhook-signature", s.secret.Sign(id, now, sent))
	resp, err := s.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return 0, fmt.Errorf("asking the service: %w", err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil || len(got) > maxReply {
		return 0, errors.New("the service's answer was cut off, or is too large")
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(got, reply); err != nil {
			return 0, errors.New("the service's answer is no JSON of the form it should have")
		}
	}
	return resp.StatusCode, nil
}
