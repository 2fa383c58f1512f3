package flow_test

import (
	"errors"
	"strings"
	"testing"

	"tandem"
	"tandem/ivr/flow"
)

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		stored string
		code   tandem.Code
		says   string
	}{
		{`{"v":2}`, tandem.CodeConflict, "written by a newer program, in format 2"},
		{`{"v":0}`, tandem.CodeInvalid, "no format number"},
		{`{}`, tandem.CodeInvalid, "no format number"},
		{`no`, tandem.CodeInvalid, "no session"},
		{`{"v":1,"frames":7}`, tandem.CodeInvalid, "reading a session"},
	}
	for _, tt := range tests {
		_, err := flow.Decode([]byte(tt.stored))
		var e *tandem.Error
		if !errors.As(err, &e) || e.Code != tt.code || !strings.Contains(e.Message, tt.says) {
			t.Errorf("%s: %v", tt.stored, err)
		}
	}
}
