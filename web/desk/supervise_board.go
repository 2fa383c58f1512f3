package desk

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/queue/figures"
	"tandem/web/answer"
	"tandem/web/desk/alert"
	"tandem/web/desk/board"
	"tandem/web/desk/duty"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// Overview is what the board shows besides the line. Fields may be left out: then there is no
// such thing.
type Overview struct {
	Board  *board.Board // nil = one that knows nothing of today
	Book   Book
	Alerts Alerts
	// Where is in which step of which flow everybody is whose session runs, of one flow or of
	// all (""), up to a bound; more are beyond it.
	Where func(ctx context.Context, flow string) (all []Whereabouts, more int, err error)
}

// Book is the figures of the past; bridge/queue/figures has them.
type Book interface {
	History(ctx context.Context, q figures.Query) ([]figures.Point, time.Duration, error)
	All(ctx context.Context, q figures.Query, do func(at time.Time, k figures.Key, c figures.Counts) error) error
	Contacts(k figures.Key, what figures.What, from, until time.Time, n int) ([]figures.Contact, int)
}

// Alerts are rules and what came of them; web/desk/alert has them.
type Alerts interface {
	Turn() uint64
	Firing() []alert.Alert
	Past() []alert.Alert
	Rules() []alert.Standing
	Add(ctx context.Context, by string, r alert.Rule) (alert.Rule, error)
	Change(ctx context.Context, id string, r alert.Rule) (alert.Rule, error)
	Remove(ctx context.Context, id string) error
	Seen(ctx context.Context, id, by string) (alert.Alert, error)
}

var (
	_ Book   = (*figures.Book)(nil)
	_ Alerts = (*alert.Keeper)(nil)
)

// Whereabouts is where a customer is in a flow.
type Whereabouts struct {
	Interaction tandem.InteractionID `json:"interaction"`
	Number      tandem.Number        `json:"number,omitempty"`
	Entry       string               `json:"entry"`
	Channel     tandem.LegKind       `json:"channel,omitempty"`
	State       tandem.State         `json:"state"`
	Flow        string               `json:"flow"`
	Step        string               `json:"step"`
	Since       time.Time            `json:"since"`
}

// firing gives the alerts that fire to the board's frames.
func (d *Desk) firing(turn uint64) (json.RawMessage, uint64) {
	now := d.o.Overview.Alerts.Turn()
	if now == turn {
		return nil, turn
	}
	data, err := json.Marshal(d.o.Overview.Alerts.Firing())
	if err != nil {
		panic("desk: alerts cannot be written: " + err.Error())
	}
	return data, now
}

// none answers for a part of the board that there is not.
func none(what string) error {
	return tandem.Errorf(tandem.CodeUnavailable, "%s is not kept here", what)
}

// pastOf reads which figures of the past are wanted.
func pastOf(r *http.Request) (q figures.Query, err error) {
	of := r.URL.Query()
	if q.From, q.Until, err = span(of.Get("since"), of.Get("until")); err != nil {
		return q, err
	}
	if q.Key.Kind, err = oneOf("kind", of.Get("kind"), board.Kinds()...); err != nil {
		return q, err
	}
	q.Key.Queue = of.Get("queue")
	if step := of.Get("step"); step != "" {
		n, err := strconv.Atoi(step)
		if err != nil || n < 1 || n > 24*3600 {
			return q, duty.Invalid("step is a number of seconds")
		}
		q.Step = time.Duration(n) * time.Second
	}
	return q, nil
}

// columns are points as columns, which is how plots take them.
type columns struct {
	Step     float64    `json:"step"` // seconds
	At       []int64    `json:"at"`   // Unix seconds, each the beginning of a point
	Opened   []int      `json:"opened"`
	Answered []int      `json:"answered"`
	Within   []int      `json:"within"`
	Left     []int      `json:"left"`
	Waiting  []int      `json:"waiting"`
	Most     []int      `json:"most"`
	P50      []*float64 `json:"p50"` // seconds
	P90      []*float64 `json:"p90"`
}

func (d *Desk) getHistory(w http.ResponseWriter, r *http.Request) error {
	if d.o.Overview.Book == nil {
		return none("the past")
	}
	q, err := pastOf(r)
	if err != nil {
		return err
	}
	points, step, err := d.o.Overview.Book.History(r.Context(), q)
	if err != nil {
		return err
	}
	out := columns{Step: step.Seconds(), At: []int64{}, Opened: []int{}, Answered: []int{}, Within: []int{}, Left: []int{}, Waiting: []int{}, Most: []int{},
		P50: []*float64{}, P90: []*float64{}}
	for i := range points {
		p := &points[i]
		s := board.SumOf(&p.Counts)
		out.At, out.Opened, out.Answered = append(out.At, p.At.Unix()), append(out.Opened, p.Opened), append(out.Answered, p.Answered)
		out.Within, out.Left = append(out.Within, p.Within), append(out.Left, p.Left)
		out.Waiting, out.Most = append(out.Waiting, p.Waiting), append(out.Most, p.Most)
		out.P50, out.P90 = append(out.P50, s.P50), append(out.P90, s.P90)
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// csvColumns are the head of the table; its lines have a queue and a kind each, "" = all.
func csvColumns() []string {
	return []string{"from", "queue", "kind", "opened", "answered", "within", "left", "waiting", "most", "p50", "p90"}
}

func (d *Desk) getHistoryCSV(w http.ResponseWriter, r *http.Request) error {
	if d.o.Overview.Book == nil {
		return none("the past")
	}
	q, err := pastOf(r)
	if err != nil {
		return err
	}
	var lines [][]string
	err = d.o.Overview.Book.All(r.Context(), q, func(at time.Time, k figures.Key, c figures.Counts) error {
		if q.Key.Queue != "" && k.Queue != q.Key.Queue || q.Key.Kind != "" && k.Kind != q.Key.Kind {
			return nil
		}
		s := board.SumOf(&c)
		line := []string{at.UTC().Format(time.RFC3339), plainCell(k.Queue), string(k.Kind)}
		for _, n := range []int{c.Opened, c.Answered, c.Within, c.Left, c.Waiting, c.Most} {
			line = append(line, strconv.Itoa(n))
		}
		lines = append(lines, append(line, seconds1(s.P50), seconds1(s.P90)))
		return nil
	})
	if err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Type", "text/csv; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Disposition", `attachment; filename="tandem-board.csv"`)
	table := csv.NewWriter(w)
	_ = table.Write(csvColumns())
	_ = table.WriteAll(lines) // a client that left is none of ours to mend
	return nil
}

// plainCell is a name in a table as no program takes it for a formula.
func plainCell(name string) string {
	if name != "" && strings.ContainsRune("=+-@\t\r", rune(name[0])) {
		return "'" + name
	}
	return name
}

func seconds1(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', 1, 64)
}

// contact is one task behind a number of today.
type contact struct {
	At          time.Time            `json:"at"`
	Task        tandem.TaskID        `json:"task"`
	Interaction tandem.InteractionID `json:"interaction"`
	Queue       string               `json:"queue"`
	Kind        tandem.TaskKind      `json:"kind"`
	What        figures.What         `json:"what"`
	Agent       string               `json:"agent,omitempty"`
	Waited      float64              `json:"waited"` // seconds
	Within      bool                 `json:"within"`
}

func (d *Desk) getContacts(w http.ResponseWriter, r *http.Request) error {
	if d.o.Overview.Book == nil {
		return none("the past")
	}
	q, err := pastOf(r)
	if err != nil {
		return err
	}
	what, err := oneOf("what", r.URL.Query().Get("what"), figures.Answered, figures.Left)
	if err != nil {
		return err
	}
	n, err := limit(r.URL.Query().Get("limit"), linePage)
	if err != nil {
		return err
	}
	list, total := d.o.Overview.Book.Contacts(q.Key, what, q.From, q.Until, n)
	out := struct {
		Contacts []contact `json:"contacts"`
		Total    int       `json:"total"`
	}{[]contact{}, total}
	for _, c := range list {
		out.Contacts = append(out.Contacts, contact{c.At.UTC(), c.Task, c.Interaction, c.Queue, c.Kind, c.What, c.Agent, c.Waited.Seconds(), c.Within})
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// getWhere says who is at which step now: of one flow, or of all.
func (d *Desk) getWhere(w http.ResponseWriter, r *http.Request) error {
	if d.o.Overview.Where == nil {
		return none("where customers are")
	}
	all, more, err := d.o.Overview.Where(r.Context(), r.URL.Query().Get("flow"))
	if err != nil {
		return err
	}
	type flowCount struct {
		Flow  string         `json:"flow"`
		Total int            `json:"total"`
		Steps map[string]int `json:"steps"`
	}
	counts := []*flowCount{}
	by := map[string]*flowCount{}
	for i := range all {
		c := by[all[i].Flow]
		if c == nil {
			c = &flowCount{Flow: all[i].Flow, Steps: map[string]int{}}
			by[c.Flow], counts = c, append(counts, c)
		}
		c.Total++
		c.Steps[all[i].Step]++
	}
	if all == nil {
		all = []Whereabouts{}
	}
	answer.JSON(w, http.StatusOK, struct {
		At    time.Time     `json:"at"`
		Flows []*flowCount  `json:"flows"`
		Who   []Whereabouts `json:"who"`
		More  int           `json:"more,omitempty"`
	}{d.o.Now().UTC(), counts, all, more})
	return nil
}

// getBoard is the whole picture at once: what the socket's board frames say.
func (d *Desk) getBoard(w http.ResponseWriter, _ *http.Request) error {
	p := d.board.Picture(d.o.Line)
	out := struct {
		At     time.Time       `json:"at"`
		Since  time.Time       `json:"since"`
		Whole  bool            `json:"whole"`
		Today  board.Today     `json:"today"`
		Counts board.Counts    `json:"counts"`
		Queues []board.Figures `json:"queues"`
		Agents []view.Agent    `json:"agents"`
		Alerts []alert.Alert   `json:"alerts"`
	}{p.At, p.Since, p.Whole, p.Today, p.Agents, p.Queues, []view.Agent{}, []alert.Alert{}}
	for _, a := range d.o.Line.Agents() {
		out.Agents = append(out.Agents, d.AgentView(a))
	}
	if d.o.Overview.Alerts != nil {
		out.Alerts = append(out.Alerts, d.o.Overview.Alerts.Firing()...)
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// called is who asks, for what is kept of it.
func called(r *http.Request) string { return login.CallerOf(r.Context()).Called() }
