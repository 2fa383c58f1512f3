package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"tandem/internal/config"
	"tandem/store/staff"
)

func TestUsers(t *testing.T) {
	journalWithCalls(t)
	expect(t, 0, "user list", "nobody yet", "tandem user add NAME --role designer,operator --config tandem.yaml")
	if err := os.WriteFile("pw", []byte("orange ladder tree\r\nnot read\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 0, "user add Ann --role operator,designer --display Anna --password-file pw", "ann can log in.")
	out := expect(t, 0, "user add bob --role auditor", "bob can log in", "shown this once")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || len(lines[1]) != 23 {
		t.Errorf("the drawn password: %q", lines)
	}
	expect(t, 1, "user add ann --role auditor", "this name is taken")
	expect(t, 1, "user add cleo", "say with --role")
	expect(t, 1, "user add cleo --role boss", `"boss" is no role`)
	expect(t, 1, "user add cl/eo --role agent", "a user's name has")
	if err := os.WriteFile("weak", []byte("password1234\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "user add cleo --role agent --password-file weak", "tried first")
	expect(t, 1, "user add cleo --role agent --password-file none", "reading the password")
	expect(t, 0, "user set-role bob --role agent,supervisor", "bob may log in; roles: agent, supervisor")
	expect(t, 0, "user disable BOB", "bob may not log in")
	expect(t, 0, "user list", "ann", "designer", "bob", "not at all: disabled", "never")
	expect(t, 0, "user enable bob", "bob may log in")
	expect(t, 0, "user reset bob", "bob has a new password and no codes", "shown this once")
	expect(t, 1, "user reset cleo", "there is no such user; tandem user list shows them")
	var users []listedUser
	if err := json.Unmarshal([]byte(expect(t, 0, "user list --json")), &users); err != nil || len(users) != 2 || users[0].Display != "Anna" || !users[0].MustChange ||
		strings.Join(users[0].Roles, " ") != "operator designer" {
		t.Errorf("%+v, %v", users, err)
	}
}

func TestUserAudit(t *testing.T) {
	journalWithCalls(t)
	expect(t, 0, "user audit", "all 0 entries stand")
	expect(t, 0, "user add ann --role operator")
	expect(t, 0, "user disable ann")
	expect(t, 0, "user audit", "user.add", "user.disable", "command", "all 2 entries stand as they were written")
	expect(t, 1, "user audit --limit 0", "--limit goes from 1")
	tamper(t, "data/tandem.db", "DROP TRIGGER staff_audit_update; UPDATE staff_audit SET object = 'bob' WHERE n = 1")
	expect(t, 1, "user audit", "NOT WHOLE: entry 1 of the audit log is not as it was written")
	var report auditReport
	if err := json.Unmarshal([]byte(expect(t, 1, "user audit --json --limit 1")), &report); err != nil || report.Verified || len(report.Entries) != 1 || report.Total != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestStaffIsInTheBackup: a copy has the users and a log that verifies.
func TestStaffIsInTheBackup(t *testing.T) {
	journalWithCalls(t)
	expect(t, 0, "user add ann --role operator")
	if err := os.Mkdir("copies", 0o700); err != nil {
		t.Fatal(err)
	}
	expect(t, 0, "backup copies/copy.db")
	if err := os.WriteFile("copy.yaml", []byte("store: { path: copies/copy.db }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 0, "user list --config copy.yaml", "ann", "operator")
	expect(t, 0, "user audit --config copy.yaml", "the one entry stands")
}

func TestDoctorStaff(t *testing.T) {
	journalWithCalls(t)
	look := func(text string) []finding {
		t.Helper()
		if err := os.WriteFile("tandem.yaml", []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := config.Load("tandem.yaml", nil)
		if err != nil {
			t.Fatal(err)
		}
		return checkStaff(context.Background(), &patient{Loaded: loaded})
	}
	if all := look("log: {}"); !has(all, "staff", warn, "nobody can log in") {
		t.Errorf("without users: %+v", all)
	}
	expect(t, 0, "user add ann --role operator")
	if all := look("log: {}"); !has(all, "staff", warn, "an operator of ann") || !has(all, "staff", ok, "1 user can log in") {
		t.Errorf("an operator without codes: %+v", all)
	}
	if all := look(`http: { staff_listen: "0.0.0.0:8081" }`); !has(all, "staff", warn, "open to the network") {
		t.Errorf("an open door: %+v", all)
	}
	if all := look(`http: { staff_listen: "0.0.0.0:8081", staff_url: "https://staff.example" }`); has(all, "staff", warn, "open to the network") {
		t.Errorf("a door with an address: %+v", all)
	}
	tamper(t, "data/tandem.db", "DROP TRIGGER staff_audit_update; UPDATE staff_audit SET object = 'bob' WHERE n = 1")
	if all := look("log: {}"); !has(all, "staff", fail, "not as it was written") {
		t.Errorf("a changed log: %+v", all)
	}
}

// TestFirstUser: a server without users says how to make one, and then no more; the
// demo has its own, with passwords that are new at each start.
func TestFirstUser(t *testing.T) {
	journalWithCalls(t)
	loaded, err := config.Load("tandem.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	err = withRegister(context.Background(), loaded.Config, toWrite, &errs, func(r *staff.Register) error {
		var said bytes.Buffer
		if err := tellFirstUser(context.Background(), r, loaded, &said, "http://127.0.0.1:8081"); err != nil || !strings.Contains(said.String(), "Nobody can log in at http://127.0.0.1:8081 yet; make the first with: tandem user add") {
			t.Errorf("%q, %v", said.String(), err)
		}
		first, err := demoUsers(context.Background(), r)
		if err != nil {
			return err
		}
		second, err := demoUsers(context.Background(), r)
		if err != nil {
			return err
		}
		for _, name := range []string{"designer", "operator"} {
			if first[name] == "" || first[name] == second[name] {
				t.Errorf("%s has %q, then %q", name, first[name], second[name])
			}
			if _, l, err := r.Enter(context.Background(), staff.Attempt{Name: name, Password: second[name]}); err != nil || l.User.MustChange {
				t.Errorf("%s: %+v, %v", name, l.User, err)
			}
		}
		said.Reset()
		if err := tellFirstUser(context.Background(), r, loaded, &said, "x"); err != nil || said.Len() > 0 {
			t.Errorf("with users: %q, %v", said.String(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
