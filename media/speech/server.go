package speech

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tandem/media/wav"
)

// pcmRate is the rate of response_format pcm where the answer names none: 24 kHz,
// 16 bits, little endian, mono.
const pcmRate = 24000

// Server is a speech server that speaks OpenAI's /v1/audio/speech.
type Server struct {
	url     string
	key     string
	model   string
	voice   string
	timeout time.Duration
	client  *http.Client
	turn    turn
}

var _ Synthesizer = (*Server)(nil)

// NewServer makes an engine of the server at address: its root, its /v1 or the
// whole path. key goes into the Authorization header and nowhere else; "" sends
// none. timeout is for one sentence; 0 means 15 s.
func NewServer(address, key, model, voice string, timeout time.Duration) (*Server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the address of a speech server begins with http:// or https:// and a host")
	}
	path := strings.TrimSuffix(u.Path, "/")
	switch {
	case strings.HasSuffix(path, "/audio/speech"):
	case strings.HasSuffix(path, "/v1"):
		path += "/audio/speech"
	default:
		path += "/v1/audio/speech"
	}
	u.Path = path
	if model == "" {
		model = "tts-1"
	}
	if voice == "" {
		voice = "alloy"
	}
	return &Server{
		url: u.String(), key: key, model: model, voice: voice, timeout: positive(timeout), turn: newTurn(),
		client: &http.Client{
			// A key belongs to one host: no answer may send it elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Name is the server's host, model and voice.
func (s *Server) Name() string {
	u, err := url.Parse(s.url)
	if err != nil {
		return "server"
	}
	return "server:" + u.Host + u.Path + ":" + s.model + ":" + s.voice
}

// Speaks is true: only the server knows.
func (s *Server) Speaks(string) bool { return true }

// Synthesize asks the server once. The language is the text's own: the protocol
// has no field for it.
func (s *Server) Synthesize(ctx context.Context, text, _ string) ([]int16, int, error) {
	text, err := clean(text)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.turn.take(ctx); err != nil {
		return nil, 0, fmt.Errorf("waiting for the speech server: %w", err)
	}
	defer s.turn.give()
	audio, err := s.ask(ctx, text)
	if err != nil {
		return nil, 0, fmt.Errorf("asking the speech server: %w", err)
	}
	if len(audio.PCM) == 0 {
		return nil, 0, errors.New("asking the speech server: it gave no audio")
	}
	return audio.PCM, audio.Rate, nil
}

func (s *Server) ask(ctx context.Context, text string) (wav.Audio, error) {
	body, err := json.Marshal(map[string]string{
		"model": s.model, "voice": s.voice, "input": text, "response_format": "wav",
	})
	if err != nil {
		return wav.Audio{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return wav.Audio{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return wav.Audio{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return wav.Audio{}, fmt.Errorf("it answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, wav.MaxBytes+1))
	if err != nil {
		return wav.Audio{}, err
	}
	return decode(data, resp.Header.Get("Content-Type"))
}

// decode reads a WAV file or bare samples, as servers send either.
func decode(data []byte, contentType string) (wav.Audio, error) {
	if len(data) > wav.MaxBytes {
		return wav.Audio{}, wav.ErrTooLong
	}
	if bytes.HasPrefix(data, []byte("RIFF")) {
		return wav.Read(bytes.NewReader(data))
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "audio/pcm" && kind != "audio/l16" && kind != "application/octet-stream" {
		return wav.Audio{}, fmt.Errorf("it sent %q; a WAV file or bare PCM is needed", contentType)
	}
	rate := pcmRate
	if given, err := strconv.Atoi(params["rate"]); err == nil && given >= 4000 && given <= 192000 {
		rate = given
	}
	pcm := make([]int16, len(data)/2)
	order := binary.ByteOrder(binary.LittleEndian)
	if kind == "audio/l16" {
		order = binary.BigEndian // RFC 2586
	}
	for i := range pcm {
		pcm[i] = int16(order.Uint16(data[2*i:]))
	}
	return wav.Audio{Rate: rate, PCM: pcm}, nil
}
