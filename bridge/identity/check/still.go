package check

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"strings"
	"time"

	scale "golang.org/x/image/draw"

	"tandem"
	"tandem/media/video"
	"tandem/store"
)

// Bounds of stills.
const (
	maxUpload  = 8 << 20    // bytes, of a page's as sent
	maxPixels  = 40_000_000 // width times height, of a page's as sent
	maxSide    = 3840       // pixels, as kept
	jpegGrade  = 92
	maxCamera  = 120             // bytes of a camera's label
	stillsWait = 5 * time.Second // for a keyframe
)

// Where a still comes from: a keyframe as it passed the server, or the page, which has it
// sharper.
const (
	sourceServer = "server"
	sourcePage   = "page"
)

// taken is a picture that is to be kept.
type taken struct {
	data          []byte
	mediaType     string
	width, height int
	source        string
	camera        string
}

// Statement is what is signed of a still, a line for each fact. It is the same in every
// version of the product: version 1.
type Statement struct {
	Hash        string // of the content, SHA-256 in hex
	At          time.Time
	Interaction tandem.InteractionID
	Check       tandem.CheckID
	Policy      string // its name, and the hash of its text
	PolicyHash  string
	Round       int
	Step        string
	Source      string
	Officer     string
	MediaType   string
	Width       int
	Height      int
	Camera      string // label that the page gave; "" = none
	Virtual     bool   // it looks like a camera that a program plays
}

// String is the statement as it is signed.
func (s Statement) String() string {
	camera := "-"
	if s.Camera != "" {
		camera = fmt.Sprintf("%+q", s.Camera)
	}
	hint := "none"
	if s.Virtual {
		hint = "virtual"
	}
	return fmt.Sprintf("tandem evidence 1\nhash %s\ntime %s\ninteraction %s\ncheck %s\npolicy %s %s\nround %d\nstep %s\nsource %s\nofficer %+q\nmedia_type %s\nsize %dx%d\ncamera %s\ncamera_hint %s\n",
		s.Hash, s.At.UTC().Format(time.RFC3339Nano), s.Interaction, s.Check, s.Policy, s.PolicyHash, s.Round, s.Step, s.Source, s.Officer,
		s.MediaType, s.Width, s.Height, camera, hint)
}

// virtualCameras are parts of the labels of cameras that a program plays.
var virtualCameras = []string{"virtual", "obs", "manycam", "xsplit", "snap camera", "camtwist", "v4l2loopback", "dummy", "fake", "ndi ", "mmhmm", "deepfacelive",
	"avatarify", "chromacam", "splitcam", "youcam", "webcammax", "e2esoft", "unity video capture", "虚拟"}

// looksVirtual reports whether a camera's label is like a program's. It is a hint: a label
// proves nothing, either way.
func looksVirtual(label string) bool {
	label = strings.ToLower(label)
	for _, part := range virtualCameras {
		if strings.Contains(label, part) {
			return true
		}
	}
	return false
}

// cameraLabel is a label as it is kept.
func cameraLabel(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	for len(s) > maxCamera {
		s = strings.ToValidUTF8(s[:maxCamera], "")
	}
	return s
}

// fromFrame makes a still of a keyframe.
func fromFrame(f video.Frame) (taken, error) {
	img, err := video.Picture(f)
	if err != nil {
		return taken{}, err
	}
	var out bytes.Buffer
	if err := video.PNG(&out, img); err != nil {
		return taken{}, fmt.Errorf("encoding a still: %w", err)
	}
	return taken{data: out.Bytes(), mediaType: "image/png", width: img.Bounds().Dx(), height: img.Bounds().Dy(), source: sourceServer}, nil
}

var errNoJPEG = tandem.Errorf(tandem.CodeInvalid, "it is no JPEG picture, or a broken or too large one: at most 8 MB and 40 megapixels")

// fromPage makes a still of a picture that a page sent: decoded and encoded anew, so that
// nothing of the file is left but what can be seen.
func fromPage(data []byte) (t taken, err error) {
	defer func() {
		if recover() != nil { // a file made to break a decoder breaks itself only
			err = errNoJPEG
		}
	}()
	if len(data) > maxUpload {
		return t, errNoJPEG
	}
	size, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || size.Width <= 0 || size.Height <= 0 || size.Width*size.Height > maxPixels {
		return t, errNoJPEG
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Empty() {
		return t, errNoJPEG
	}
	img = within(img)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: jpegGrade}); err != nil {
		return t, fmt.Errorf("encoding a still: %w", err)
	}
	return taken{data: out.Bytes(), mediaType: "image/jpeg", width: img.Bounds().Dx(), height: img.Bounds().Dy(), source: sourcePage}, nil
}

// within makes a picture no larger than maxSide.
func within(img image.Image) image.Image {
	b := img.Bounds()
	side := max(b.Dx(), b.Dy())
	if side <= maxSide {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, max(1, b.Dx()*maxSide/side), max(1, b.Dy()*maxSide/side)))
	scale.ApproxBiLinear.Scale(out, out.Rect, img, b, scale.Src, nil)
	return out
}

// sign makes the statement of a still and signs it.
func sign(key ed25519.PrivateKey, c *Check, step string, t taken, now time.Time) (Statement, tandem.Evidence) {
	sum := sha256.Sum256(t.data)
	s := Statement{Hash: hex.EncodeToString(sum[:]), At: now, Interaction: c.Interaction, Check: c.ID, Policy: c.Policy.Name, PolicyHash: c.Policy.Hash,
		Round: c.Round, Step: step, Source: t.source, Officer: c.Officer, MediaType: t.mediaType, Width: t.width, Height: t.height,
		Camera: c.Camera, Virtual: c.Virtual}
	if t.camera != "" {
		s.Camera, s.Virtual = t.camera, looksVirtual(t.camera)
	}
	text := s.String()
	return s, tandem.Evidence{Check: c.ID, Round: c.Round, Step: step, Source: t.source, MediaType: t.mediaType, Width: t.width, Height: t.height,
		Hash: s.Hash, Statement: text, Signature: base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(text)))}
}

// keep writes a still, signed, with its event and the check in one change. of is the check
// as it was when the still was asked for: if it has gone on since, nothing is kept.
func (d *Desk) keep(ctx context.Context, of *Check, step string, n int, t taken) (Check, error) {
	l, err := d.hold(ctx, of.ID)
	if err != nil {
		return Check{}, err
	}
	defer l.release(d)
	now := d.o.Now()
	s, event := sign(d.o.Sign, &l.c, step, t, now)
	w, err := d.o.Blobs.Create(of.Interaction, t.mediaType)
	if err != nil {
		return l.c, fmt.Errorf("keeping a still: %w", err)
	}
	defer w.Abort()
	event.Blob = w.ID()
	in := kept{Round: of.Round, Step: step, Camera: t.camera, Virtual: s.Virtual, Event: event,
		Still: Still{Blob: w.ID(), Source: t.source, MediaType: t.mediaType, Width: t.width, Height: t.height, Hash: s.Hash, N: n, At: now}}
	r, err := l.c.take(in, now, [32]byte{}) // before anything is written
	if err != nil {
		return l.c, err
	}
	if _, err := w.Write(t.data); err != nil {
		return l.c, fmt.Errorf("keeping a still: %w", err)
	}
	ref, err := w.Commit()
	if err != nil {
		return l.c, fmt.Errorf("keeping a still: %w", err)
	}
	ref.Class = store.ClassEvidence
	if days := l.c.Policy.KeepEvidence; days > 0 {
		ref.Until = now.Add(days)
	}
	err = d.commit(ctx, l, r, now, ref)
	clear(ref.Key)
	if err != nil && !errors.Is(err, context.Canceled) {
		// Whether it was written is known by reading the check again: a still that it does
		// not have is noise without its key, which nobody has any more.
		d.o.Log.Warn("a still was not kept", "interaction", of.Interaction, "check", of.ID, "error", err)
	}
	return l.c, err
}

// still takes the server's still of what the customer's camera shows now.
func (d *Desk) still(ctx context.Context, of *Check) (Check, error) {
	ctx, stop := context.WithTimeoutCause(ctx, stillsWait, video.ErrDark)
	defer stop()
	frame, err := d.o.Still(ctx, of.Interaction)
	if err == nil {
		var t taken
		if t, err = fromFrame(frame); err == nil {
			return d.keep(context.WithoutCancel(ctx), of, of.Capture.Step, of.Capture.N, t)
		}
	}
	d.o.Log.Info("no still of a customer", "interaction", of.Interaction, "check", of.ID, "error", err)
	return *of, &tandem.Error{Code: tandem.CodeUnavailable, Err: err,
		Message: "no picture of the customer comes: wait until it is back, or ask them to switch their camera on, then take it again"}
}

// PageStill keeps the page's own still of a step, as JPEG, with the label of the camera that
// took it ("" = not known). It is taken while the check's Capture names the step and the
// page's has not come, else the error is tandem.CodeConflict. n is that of the Capture.
func (d *Desk) PageStill(ctx context.Context, id tandem.CheckID, step, camera string, data []byte) (n int, err error) {
	c, err := d.Find(ctx, id)
	if err != nil {
		return 0, err
	}
	if c.State != Running || c.Capture == nil || c.Capture.Step != step || c.Capture.Page {
		return 0, conflict("no picture of step %s is wanted", step)
	}
	select {
	case d.decoding <- struct{}{}:
		defer func() { <-d.decoding }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	t, err := fromPage(data)
	if err != nil {
		return 0, err
	}
	t.camera = cameraLabel(camera)
	n = c.Capture.N
	_, err = d.keep(context.WithoutCancel(ctx), &c, step, n, t)
	return n, err
}
