package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"tandem/internal/nearest"
)

// check holds the rules between values that are each well formed.
func (r *reader) check(c *Config) {
	r.checkHTTP(c.HTTP)
	r.checkSIP(c.SIP)
	r.checkMedia(c.Media)
	r.checkWebRTC(c)
	r.checkSpeech(c.Speech)
	r.checkStore(c.Store)
	r.checkOutbound(c.Outbound)
	r.checkStaff(c)
	r.checkText(c)
	r.checkLine(c)
	r.oneOf("log.format", c.Log.Format, "text", "json")
	r.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	if c.Flows.Dir == "" {
		r.wrong("flows.dir", "is empty; name the folder of the flows")
	}
	for _, host := range c.Flows.HTTPAllow {
		if name := strings.TrimPrefix(host, "*."); name == "" || strings.ContainsAny(name, "/*@ ") {
			r.wrong("flows.http_allow", "%q is no host: write HOST, HOST:PORT or *.DOMAIN, without http:// and path", host)
		}
	}
	if c.Limits.Calls < 1 {
		r.wrong("limits.calls", "at least one call must be let in")
	}
	if c.Limits.CPU < 0 || c.Limits.CPU > 100 {
		r.wrong("limits.cpu", "is a percentage: 0 to 100")
	}
	if c.Limits.MaxCallTime < time.Minute || c.Limits.MaxCallTime > 24*time.Hour {
		r.wrong("limits.max_call_time", "goes from 1m to 1d")
	}
	if c.Notify.URL != "" {
		r.webURL("notify.url", c.Notify.URL)
		if c.Notify.Secret == "" {
			r.wrong("notify.url", "needs notify.secret, which signs each message")
		}
	}
	for _, e := range c.Entries {
		key := join("entries", e.Name)
		if e.Flow == "" {
			r.wrong(key, "names no flow")
		}
		if e.Auth && len(c.SIP.Users) == 0 {
			r.wrong(key, "asks callers for a password, but sip.users is empty")
		}
		if e.Ring > 3*time.Minute {
			r.wrong(key, "rings longer than 3m, by when a caller's provider has given up")
		}
	}
}

func (r *reader) checkHTTP(h HTTP) {
	taken := map[string]string{}
	for _, l := range []struct{ key, addr string }{
		{"http.listen", h.Listen}, {"http.staff_listen", h.StaffListen}, {"http.admin_listen", h.AdminListen},
	} {
		host, port := r.hostPort(l.key, l.addr)
		if first, twice := taken[l.addr]; twice && port != "0" {
			r.wrong(l.key, "is the same address as %s; customers, staff and machines come in by doors of their own", first)
		}
		taken[l.addr] = l.key
		if addr, err := netip.ParseAddr(host); l.key == "http.admin_listen" && host != "localhost" && (err != nil || !addr.IsLoopback()) {
			r.wrong(l.key, "must be a loopback address such as 127.0.0.1:8082: whoever reaches it sees metrics and profiles")
		}
	}
	if h.PublicURL != "" {
		r.webURL("http.public_url", h.PublicURL)
	}
}

func (r *reader) hostPort(key, s string) (host, port string) {
	host, port, err := net.SplitHostPort(s)
	if n, numErr := strconv.Atoi(port); err != nil || numErr != nil || n < 0 || n > 65535 {
		r.wrong(key, "%q is no address: write HOST:PORT, such as 127.0.0.1:8080", s)
		return "", ""
	}
	return host, port
}

func (r *reader) webURL(key, s string) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		r.wrong(key, "%q is no web address: write https://HOST or http://HOST, without user and password", s)
	}
}

func (r *reader) checkSIP(s SIP) {
	if len(s.Listen) == 0 {
		r.wrong("sip.listen", "is empty: no phone could call")
	}
	for _, l := range s.Listen {
		scheme, addr, ok := strings.Cut(l, "://")
		if !ok || (scheme != "udp" && scheme != "tcp") {
			r.wrong("sip.listen", "%q is no SIP address: write udp://HOST:PORT or tcp://HOST:PORT", l)
			continue
		}
		r.hostPort("sip.listen", addr)
	}
	for _, name := range sortedNames(s.Users) {
		if s.Users[name] == "" {
			r.wrong("sip.users."+name, "has an empty password")
		}
	}
	for _, name := range sortedNames(s.Trunks) {
		r.checkTrunk("sip.trunks."+name, s.Trunks[name])
	}
	limits := reflect.ValueOf(s.Limits)
	for i := range limits.NumField() {
		name := limits.Type().Field(i).Tag.Get("yaml")
		perSource := slices.Contains([]string{"calls_per_source", "invites_per_second", "connections_per_source"}, name)
		if n := limits.Field(i).Int(); n < 0 || (n == 0 && !perSource) {
			r.wrong("sip.limits."+name, "must be more than 0")
		}
	}
	if s.Limits.MessageBytes < s.Limits.BodyBytes {
		r.wrong("sip.limits.message_bytes", "is less than body_bytes")
	}
}

func (r *reader) checkTrunk(key string, t Trunk) {
	if t.Host == "" || strings.ContainsAny(t.Host, "/@ ") {
		r.wrong(key+".host", "wants the provider's HOST or HOST:PORT")
	}
	r.oneOf(key+".transport", t.Transport, "", "udp", "tcp")
	if (t.User == "") != (t.Password == "") {
		r.wrong(key, "needs both user and password, or neither")
	}
	if t.Password != "" && t.Realm == "" {
		r.wrong(key, "needs realm with a password: a challenge from any other realm is not answered; ask the provider, or look at a 401 it sends")
	}
	for _, s := range t.Sources {
		if _, err := netip.ParseAddr(s); err == nil {
			continue
		}
		if _, err := netip.ParsePrefix(s); err != nil {
			r.wrong(key+".sources", "%q is no address or network: write 192.0.2.7 or 192.0.2.0/24", s)
		}
	}
	if t.TrustsCallerID && len(t.Sources) == 0 {
		r.wrong(key+".trusts_caller_id", "needs sources: a caller's number is believed only from listed addresses")
	}
	if t.CallsPerSecond < 0 {
		r.wrong(key+".calls_per_second", "cannot be negative")
	}
}

func (r *reader) checkMedia(m Media) {
	if _, err := netip.ParseAddr(m.Address); err != nil && m.Address != "auto" {
		r.wrong("media.address", "%q is no IP address: write one of this machine's, or auto", m.Address)
	}
	for item := range strings.SplitSeq(m.PublicAddress, ",") {
		if _, err := netip.ParseAddr(strings.TrimSpace(item)); err != nil && strings.TrimSpace(item) != "auto" {
			r.wrong("media.public_address", "%q is no IP address: write what callers can reach, or auto", item)
		}
	}
	if m.RTPTimeout != 0 && m.RTPTimeout < 2*time.Second {
		r.wrong("media.rtp_timeout", "is under 2s, which ends calls on a short break of the network; 0 turns it off")
	}
}

func (r *reader) checkSpeech(s Speech) {
	r.oneOf("speech.engine", s.Engine, "auto", "none")
	for _, lang := range sortedNames(s.Languages) {
		v, key := s.Languages[lang], "speech.languages."+lang
		r.oneOf(key+".engine", v.Engine, "auto", "none", "espeak-ng", "flite", "command", "openai")
		if v.Engine == "command" && len(v.Command) == 0 {
			r.wrong(key, "needs command, a list such as [piper, --model, zh.onnx, --output_file, -]")
		}
		if v.Engine == "openai" {
			r.webURL(key+".url", v.URL)
		}
	}
}

func (r *reader) checkStore(s Store) {
	for _, p := range []struct {
		key   string
		value Path
	}{{"store.path", s.Path}, {"store.blobs", s.Blobs}, {"store.checkpoints", s.Checkpoints}} {
		if p.value == "" {
			r.wrong(p.key, "is empty")
		}
	}
	if (s.MasterKey == "") == (len(s.MasterKeyCommand) == 0) {
		if len(s.MasterKeyCommand) > 0 {
			r.wrong("store.master_key_command", `and store.master_key are both set: write master_key: "" to use the command`)
		} else {
			r.wrong("store.master_key", "is empty, and so is store.master_key_command")
		}
	}
	if s.Path != "" && s.Path == s.Checkpoints {
		r.wrong("store.checkpoints", "is the database itself; checkpoints lie outside it")
	}
}

func (r *reader) checkOutbound(o Outbound) {
	for _, a := range o.Allow {
		if host, isSIP := strings.CutPrefix(a, "sip:"); isSIP {
			if _, h, whole := strings.Cut(host, "@"); whole && userPart(a) != "" {
				host = h
			}
			if host == "" || strings.ContainsAny(host, "@/* ") {
				r.wrong("outbound.allow", "%q is no host: write sip:HOST or sip:HOST:PORT, or a whole sip:USER@HOST", a)
			}
		} else if plainNumber(a) == "" {
			r.wrong("outbound.allow", "%q is no prefix of numbers: write digits such as +8610, or sip:HOST", a)
		}
	}
	for _, d := range o.Deny {
		if plainNumber(d) == "" {
			r.wrong("outbound.deny", "%q is no prefix of numbers: write digits such as +1900", d)
		}
	}
	walk("outbound", reflect.ValueOf(&o).Elem(), func(key string, v reflect.Value) {
		if (v.CanInt() && v.Int() < 0) || (v.CanFloat() && v.Float() < 0) {
			r.wrong(key, "cannot be negative")
		}
	})
	for prefix := range o.Prices {
		if plainNumber(prefix) == "" {
			r.wrong(join("outbound.prices", prefix), "is no prefix of numbers")
		}
	}
	if o.MoneyPerDay > 0 && len(o.Prices) == 0 {
		r.wrong("outbound.money_per_day", "needs outbound.prices to count by")
	}
}

func (r *reader) oneOf(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	names := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	hint := ""
	if near := nearest.Name(value, names); near != "" && value != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	r.wrong(key, "is one of %s, not %q%s", strings.Join(names, ", "), value, hint)
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
