package staff

import (
	"strings"
	"testing"
)

func TestAuditVerifies(t *testing.T) {
	for _, test := range []struct {
		name, want string
		statements []string
	}{
		{"untouched", "", nil},
		{"a changed text", "entry 2 of the audit log is not as it was written", []string{"UPDATE staff_audit SET detail = 'x' WHERE n = 2"}},
		{"a changed time", "entry 2 of", []string{"UPDATE staff_audit SET at = at + 1 WHERE n = 2"}},
		{"text moved over", "entry 3 of", []string{"UPDATE staff_audit SET object = 'objec', detail = 't' WHERE n = 3"}},
		{"one taken out", "entry 2 of the audit log is missing", []string{"DELETE FROM staff_audit WHERE n = 2"}},
		{"one taken out, the rest moved up", "entry 2 of the audit log is not as", []string{"DELETE FROM staff_audit WHERE n = 2", "UPDATE staff_audit SET n = 2 WHERE n = 3"}},
		{"the last taken off", "ends with entry 2", []string{"DELETE FROM staff_audit WHERE n = 3"}},
		{"all taken off", "ends with entry 0", []string{"DELETE FROM staff_audit"}},
		{"all, and what says where it ends", "ends with entry 0", []string{"DELETE FROM staff_audit", "DELETE FROM meta WHERE name = 'staff_audit'"}},
		{"two exchanged", "entry 2 of", []string{"UPDATE staff_audit SET n = 9 WHERE n = 2", "UPDATE staff_audit SET n = 2 WHERE n = 3", "UPDATE staff_audit SET n = 3 WHERE n = 9"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t)
			p.add(t, "ann", Designer)
			for _, detail := range []string{"one", "two"} {
				if err := p.Record(t.Context(), Actor{"ann", "192.0.2.1"}, "flow.publish", "object", detail); err != nil {
					t.Fatal(err)
				}
			}
			p.exec(t, append([]string{"DROP TRIGGER staff_audit_update", "DROP TRIGGER staff_audit_delete"}, test.statements...)...)
			_, finding, err := p.Verify(t.Context())
			if err != nil || (test.want == "") != (finding == "") || !strings.Contains(finding, test.want) {
				t.Errorf("found %q, %v; want %q", finding, err, test.want)
			}
		})
	}
}

func TestEntries(t *testing.T) {
	p := newPlace(t)
	if n, finding, err := p.Verify(t.Context()); n != 0 || finding != "" || err != nil {
		t.Errorf("an empty log: %d, %q, %v", n, finding, err)
	}
	for range 5 {
		if err := p.Record(t.Context(), Actor{"ann", "192.0.2.1"}, "look", strings.Repeat("界", 500)+"\xff", ""); err != nil {
			t.Fatal(err)
		}
	}
	page, err := p.Entries(t.Context(), 0, 2)
	if err != nil || len(page) != 2 || page[0].N != 5 || page[1].N != 4 || page[0].At != p.clock.Now() || len(page[0].Object) > maxAuditText+3 {
		t.Errorf("%+v, %v", page, err)
	}
	if page, err = p.Entries(t.Context(), 2, 100); err != nil || len(page) != 1 || page[0].N != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	if n, finding, err := p.Verify(t.Context()); n != 5 || finding != "" || err != nil {
		t.Errorf("%d, %q, %v", n, finding, err)
	}
}
