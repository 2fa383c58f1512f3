package sqlite

import (
	"testing"

	"tandem"
	"tandem/store"
	"tandem/store/storetest"
)

// Who is erased can be found by no conversation, and nothing they were sent opens; what
// others have stays.
func TestEraseReachesTextTables(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	random := storetest.NewRandom(1)
	gone, stays := storetest.NewCall(p.Clock.Now(), random, "+1").Opening(), storetest.NewCall(p.Clock.Now(), random, "+2").Opening()
	for i, c := range []*store.Change{gone, stays} {
		c.Legs[0].Kind = tandem.LegChat // no call, which ends by itself
		commit(t, db, c)
		customer := string(c.Interaction.Customer)
		err := db.Update(t.Context(), func(tx store.Tx) error {
			no, err := tx.Insert(`INSERT INTO chat_conversation (id, channel, entry, interaction, leg, customer, lang, taken, ours, peer, started, seen)
				VALUES (?, 'sms', '', '', '', ?, '', 0, '', ?, 1, 1)`, customer, customer, []byte{byte(i)})
			if err != nil {
				return err
			}
			if _, err = tx.Exec("INSERT INTO chat_token VALUES (?, ?, 1, 1)", []byte{byte(i)}, no); err != nil {
				return err
			}
			no, err = tx.Insert(`INSERT INTO link (id, interaction, key, leg, customer, conversation, number, serial, operation, channel, needs, assurance,
				assurance_until, lang, by, flow, flow_hash, seq, code, state, made, expires, browser)
				VALUES (?, '', ?, '', ?, '', '', 1, '', '', 0, 0, 0, '', '', '', '', 1, ?, 'opened', 1, 1, ?)`, customer, customer, customer, []byte{1}, []byte{1})
			if err != nil {
				return err
			}
			_, err = tx.Exec("INSERT INTO link_token VALUES (?, ?, 1)", []byte{byte(i)}, no)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Erase(t.Context(), gone.Interaction.Customer, "li.wei", "asked"); err != nil {
		t.Fatal(err)
	}
	err := db.View(t.Context(), func(tx store.Tx) error {
		for _, query := range []string{
			"SELECT count(*) FROM chat_token", "SELECT count(*) FROM link_token", "SELECT count(peer) FROM chat_conversation",
			"SELECT count(code) FROM link", "SELECT count(browser) FROM link", "SELECT count(*) FROM link WHERE over = 0",
			"SELECT count(*) FROM interaction WHERE state <> 'closed'", "SELECT count(*) FROM leg WHERE ended = 0",
		} {
			if _, err := tx.One(query, func(r store.Row) {
				if r.Int(0) != 1 {
					t.Errorf("%s: %d, want 1", query, r.Int(0))
				}
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
