package webrtc

import (
	"github.com/pion/logging"

	"tandem/media/webrtc/port"
)

// loggers takes pion's log lines of one link. They say what strangers sent, so none is
// written; but those of SRTP are each a packet that could not be opened.
type loggers struct{ link *link }

var _ logging.LoggerFactory = (*loggers)(nil)

// NewLogger makes the logger of one of pion's parts.
func (l *loggers) NewLogger(scope string) logging.LeveledLogger {
	if scope == "srtp" && l.link != nil {
		return &sealed{link: l.link}
	}
	return quiet{}
}

// sealed counts packets that could not be opened.
type sealed struct {
	quiet
	link *link
}

// Info is what pion's SRTP session says of each.
func (s *sealed) Info(string) {
	s.link.conn.bad.Add(1)
	s.link.conn.server.counts.Add(port.DropSRTP)
}

// quiet writes nothing.
type quiet struct{}

func (quiet) Trace(string)          {}
func (quiet) Tracef(string, ...any) {}
func (quiet) Debug(string)          {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Info(string)           {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warn(string)           {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Error(string)          {}
func (quiet) Errorf(string, ...any) {}
