// Package config is the program's one configuration: a YAML file, overridden by
// the environment, checked as a whole. It owns the names of all keys, their
// defaults, and the rules that hold between them; it also reads the store's
// master key, because where that key lies is a matter of configuration.
//
// It starts no goroutine, opens no socket and keeps no state: Load reads, checks
// and returns. It never prints a secret.
package config

import (
	"time"

	"tandem"
)

// Config is every setting. Each key of the file is the lower-case name in the
// field's tag; docs/tandem.sample.yaml documents them all and equals the defaults.
type Config struct {
	Name     string           `yaml:"name"` // of the organisation, as customers know it
	HTTP     HTTP             `yaml:"http"`
	SIP      SIP              `yaml:"sip"`
	Media    Media            `yaml:"media"`
	WebRTC   WebRTC           `yaml:"webrtc"`
	Speech   Speech           `yaml:"speech"`
	Store    Store            `yaml:"store"`
	Flows    Flows            `yaml:"flows"`
	Staff    Staff            `yaml:"staff"`
	Studio   Studio           `yaml:"studio"`
	Limits   Limits           `yaml:"limits"`
	Outbound Outbound         `yaml:"outbound"`
	Chat     Chat             `yaml:"chat"`
	SMS      SMS              `yaml:"sms"`
	Texts    Texts            `yaml:"texts"`
	Identity Identity         `yaml:"identity"`
	Agents   map[string]Agent `yaml:"agents"` // by the name of tandem user
	Line     Line             `yaml:"line"`
	Webhooks Webhooks         `yaml:"webhooks"`
	Notify   Notify           `yaml:"notify"`
	Log      Log              `yaml:"log"`
	Entries  Entries          `yaml:"entries"`
}

// HTTP is the three doors: customers, staff, machines.
type HTTP struct {
	Listen      string   `yaml:"listen"`       // customers: HOST:PORT
	StaffListen string   `yaml:"staff_listen"` // staff: HOST:PORT, never the customers' address
	AdminListen string   `yaml:"admin_listen"` // metrics and health: HOST:PORT on a loopback address
	PublicURL   string   `yaml:"public_url"`   // how customers reach Listen: links begin with it; "" = http://Listen
	StaffURL    string   `yaml:"staff_url"`    // how staff reach StaffListen; "" = http://StaffListen
	Proxies     []string `yaml:"proxies"`      // in front of the doors, whose X-Forwarded-For is believed
	Profiles    bool     `yaml:"profiles"`     // /debug/pprof on AdminListen
}

// SIP is signalling: where calls come in, who may register or call, and trunks.
type SIP struct {
	Listen        []string          `yaml:"listen"`         // udp://HOST:PORT, tcp://HOST:PORT
	PublicAddress string            `yaml:"public_address"` // in Contact and Via; "" = the local address
	Users         map[string]Secret `yaml:"users"`          // digest user → password
	AllowMD5      bool              `yaml:"allow_md5"`      // offer MD5 beside SHA-256 to phones that know no better
	Trunks        map[string]Trunk  `yaml:"trunks"`
	Limits        SIPLimits         `yaml:"limits"`
}

// Trunk is a provider's line.
type Trunk struct {
	Host           string   `yaml:"host"`      // HOST or HOST:PORT
	Transport      string   `yaml:"transport"` // udp or tcp; "" = udp
	User           string   `yaml:"user"`
	Password       Secret   `yaml:"password"`
	Realm          string   `yaml:"realm"`            // the only realm whose challenge is answered
	From           string   `yaml:"from"`             // number shown on calls out; "" = User
	Sources        []string `yaml:"sources"`          // addresses and networks its calls come from
	TrustsCallerID bool     `yaml:"trusts_caller_id"` // it vouches for its callers' numbers
	CallsPerSecond int      `yaml:"calls_per_second"` // in; 0 = no limit of its own
}

// SIPLimits bounds what a peer may send. A count of 0 in the four per-source
// figures means no limit.
type SIPLimits struct {
	MessageBytes         int           `yaml:"message_bytes"`
	HeaderLineBytes      int           `yaml:"header_line_bytes"`
	Headers              int           `yaml:"headers"`
	BodyBytes            int           `yaml:"body_bytes"`
	Via                  int           `yaml:"via"`
	MediaLines           int           `yaml:"media_lines"` // m= lines of SDP
	Codecs               int           `yaml:"codecs"`
	CallsPerSource       int           `yaml:"calls_per_source"`       // at once
	InvitesPerSecond     int           `yaml:"invites_per_second"`     // per source address
	ConnectionsPerSource int           `yaml:"connections_per_source"` // TCP
	HeaderTime           time.Duration `yaml:"header_time"`            // TCP: to receive a whole message
	IdleTime             time.Duration `yaml:"idle_time"`              // TCP: without any message
}

// Media is RTP.
type Media struct {
	Address       string        `yaml:"address"`        // to bind; "auto" = that of the first sip.listen
	Ports         PortRange     `yaml:"ports"`          // 0-0 = any
	PublicAddress string        `yaml:"public_address"` // in SDP: an address, "auto", or a list with commas
	RTPTimeout    time.Duration `yaml:"rtp_timeout"`    // without packets, hold exempt; 0 = never
}

// Speech says which engine speaks each language where no recording does.
type Speech struct {
	Engine    string           `yaml:"engine"` // for languages not listed: auto or none
	Cache     Path             `yaml:"cache"`  // folder for spoken prompts; "" = memory only
	Languages map[string]Voice `yaml:"languages"`
}

// Voice is the engine of one language.
type Voice struct {
	Engine  string        `yaml:"engine"` // auto, none, espeak-ng, flite, command, openai
	Command []string      `yaml:"command"`
	URL     string        `yaml:"url"`
	Key     Secret        `yaml:"key"`
	Model   string        `yaml:"model"`
	Voice   string        `yaml:"voice"`
	Timeout time.Duration `yaml:"timeout"` // for one sentence; 0 = the engine's own
}

// Store is where the journal and what is heard and seen lie.
type Store struct {
	Path             Path     `yaml:"path"`
	Blobs            Path     `yaml:"blobs"`              // folder of encrypted recordings
	Checkpoints      Path     `yaml:"checkpoints"`        // file of signed checkpoints, outside the database
	MasterKey        Path     `yaml:"master_key"`         // file with 32 bytes, plain, hex or base64
	MasterKeyCommand []string `yaml:"master_key_command"` // prints the key instead
	Keep             Keep     `yaml:"keep"`
}

// Keep is how long what can be heard or seen is kept; 0 = until the person is erased.
type Keep struct {
	Recordings time.Duration `yaml:"recordings"`
	Voicemails time.Duration `yaml:"voicemails"`
	Pictures   time.Duration `yaml:"pictures"` // that customers sent
	Evidence   time.Duration `yaml:"evidence"` // of identity checks whose policy says nothing
}

// Flows is the folder of flows and what they may use.
type Flows struct {
	Dir       Path           `yaml:"dir"`
	Settings  map[string]any `yaml:"settings"`
	HTTPAllow []string       `yaml:"http_allow"` // HOST, HOST:PORT or *.DOMAIN
}

// Limits bounds the whole server.
type Limits struct {
	Calls       int           `yaml:"calls"`      // at once
	Late        time.Duration `yaml:"late"`       // audio that leaves later turns new calls away (p99 of 2 s); 0 = never
	CPU         int           `yaml:"cpu"`        // percent of all processors that the program may use before new calls are turned away; 0 = any
	Goroutines  int           `yaml:"goroutines"` // 0 = any number
	StoreTime   time.Duration `yaml:"store_time"` // that a call's first record may take; 0 = any
	MaxCallTime time.Duration `yaml:"max_call_time"`
	Drain       time.Duration `yaml:"drain"` // calls may go on so long after a stop was asked
}

// Notify tells another system of opened tasks by an HTTP POST.
type Notify struct {
	URL    string `yaml:"url"`    // "" = off
	Secret Secret `yaml:"secret"` // signs each body, HMAC-SHA256
}

// Log is the program's log on standard error.
type Log struct {
	Format string `yaml:"format"` // text or json
	Level  string `yaml:"level"`  // debug, info, warn, error
}

// Default is the configuration of an empty file. Paths are relative to it.
func Default() *Config {
	return &Config{
		HTTP: HTTP{Listen: "127.0.0.1:8080", StaffListen: "127.0.0.1:8081", AdminListen: "127.0.0.1:8082"},
		SIP: SIP{
			Listen: []string{"udp://127.0.0.1:5060", "tcp://127.0.0.1:5060"},
			Limits: SIPLimits{
				MessageBytes: 64<<10 - 1, HeaderLineBytes: 8 << 10, Headers: 128, BodyBytes: 32 << 10, Via: 20,
				MediaLines: 16, Codecs: 64, CallsPerSource: 50, InvitesPerSecond: 20, ConnectionsPerSource: 20,
				HeaderTime: 10 * time.Second, IdleTime: 2 * time.Minute,
			},
		},
		Media:  Media{Address: "auto", Ports: PortRange{20000, 29999}, PublicAddress: "auto", RTPTimeout: 30 * time.Second},
		WebRTC: WebRTC{Peers: 1000, CallsPerAddress: 5, Upgrades: Upgrades{Customers: "none"}},
		Speech: Speech{Engine: "auto"},
		Store: Store{
			Path: "data/tandem.db", Blobs: "data/blobs", Checkpoints: "checkpoints/tandem.checkpoints", MasterKey: "keys/master.key",
			Keep: Keep{Recordings: 90 * 24 * time.Hour, Voicemails: 90 * 24 * time.Hour, Evidence: 30 * 24 * time.Hour},
		},
		Flows:  Flows{Dir: "flows"},
		Staff:  Staff{LoginIdle: 30 * time.Minute, LoginMax: 12 * time.Hour},
		Limits: Limits{Calls: 400, Late: 40 * time.Millisecond, CPU: 95, Goroutines: 200000, StoreTime: time.Second, MaxCallTime: 2 * time.Hour, Drain: 30 * time.Second},
		Outbound: Outbound{
			CallsAtOnce: 20, CallsPerHour: 100, CallsPerDay: 500, PerNumberPerHour: 3, PerNumberPerDay: 10, MinutesPerDay: 1000,
			MaxMinutes: 60,
		},
		Chat: Chat{Limits: ChatLimits{
			Sockets: 20000, SocketsPerAddress: 50, ConversationsPerHour: 30, AttachmentsPerHour: 60, CallbacksPerHour: 5,
			LinkAttemptsPerMinute: 60, WebhooksPerSecond: 200,
		}},
		Texts: Texts{
			PerHour: 500, PerDay: 3000, PerNumberPerHour: 30, PerNumberPerDay: 100, PerVisitorPerHour: 5, PerAddressPerHour: 20, PartsPerDay: 6000,
		},
		Identity: Identity{Holds: 30 * time.Minute, Return: 7 * 24 * time.Hour, Country: "+86"},
		Log:      Log{Format: "text", Level: "info"},
	}
}

// Refused is the error of a configuration that is at fault: exit status 1.
func Refused(problems Problems) error {
	return &tandem.Error{Code: tandem.CodeInvalid, Message: problems.Error(), Err: problems}
}
