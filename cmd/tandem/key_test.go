package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	journalWithCalls(t)
	expect(t, 0, "key list", "no keys; make one with: tandem key add")
	expect(t, 0, "user add anna --role agent")
	expect(t, 1, "key add crm", "at least one scope is needed: agent, line:read")
	expect(t, 1, "key add crm --scope all", `"all" is no scope`)
	expect(t, 1, "key add crm --scope agent", "say as which agent")
	expect(t, 1, "key add crm --scope agent --agent zoe", "there is no such user")
	expect(t, 1, "key add --scope tickets", "say what the key is for")
	expect(t, 1, "key add crm --scope tickets --for 99999h", "at most five years")
	out := expect(t, 0, "key add CRM --scope line:read,webhooks --for 720h", "tk_")
	if !strings.HasPrefix(out, "tk_") || len(out) != 3+43+1 {
		t.Errorf("more than the key is printed: %q", out)
	}
	expect(t, 1, "key add crm --scope tickets", "this name is taken")
	expect(t, 0, "key add --agent Anna --scope agent,audio", "tk_")
	expect(t, 0, "key list", "crm", "line:read,webhooks", "anna-", "agent,audio", "never", "until ")
	var keys []listedKey
	if err := json.Unmarshal([]byte(expect(t, 0, "key list --json")), &keys); err != nil || len(keys) != 2 || keys[0].Agent != "anna" || keys[1].Name != "crm" || keys[1].Key != "" {
		t.Errorf("%+v, %v", keys, err)
	}
	var made listedKey
	if err := json.Unmarshal([]byte(expect(t, 0, "key add board --scope line:read --json")), &made); err != nil || !strings.HasPrefix(made.Key, "tk_") {
		t.Errorf("%+v, %v", made, err)
	}
	expect(t, 0, "key revoke CRM", "crm opens nothing any more")
	expect(t, 0, "key revoke "+keys[0].ID, "opens nothing")
	expect(t, 1, "key revoke crm", "there is no such key")
	expect(t, 0, "key list", "no more: revoked")
	expect(t, 0, "user audit", "key.make", "key.revoke", "line:read webhooks, until")
}
