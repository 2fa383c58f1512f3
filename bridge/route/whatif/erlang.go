package whatif

import "math"

// Erlang is a line of c agents with Poisson arrivals and exponential talks, in steady state:
// M/M/c, or with patience M/M/c+M (Palm's "Erlang A"). Times are in one unit of the caller's.
type Erlang struct {
	Agents   int
	Rate     float64 // arrivals a unit of time
	Talk     float64 // mean
	Patience float64 // mean; 0 = nobody leaves
}

// Steady is what such a line comes to in the long run.
type Steady struct {
	Waits float64 // share of arrivals that find every agent busy
	Mean  float64 // wait of all who arrive, whether they are served or leave
	Left  float64 // share of arrivals that leave
	Busy  float64 // share of their time that agents talk
}

// Steady works a line out by the balance of its states: from n in the line it goes up by
// Rate, and down by min(n, Agents)/Talk + max(n-Agents, 0)/Patience. Waits is Erlang's C
// where nobody leaves, and by Little's law Mean is the mean number in line over Rate.
func (e Erlang) Steady() Steady {
	const enough = 1e-15
	mu, theta := 1/e.Talk, 0.0
	if e.Patience > 0 {
		theta = 1 / e.Patience
	}
	if theta == 0 && e.Rate >= float64(e.Agents)*mu {
		return Steady{Waits: 1, Mean: math.Inf(1), Busy: 1} // it grows for ever
	}
	// p is in units of p(0); it is scaled down when it grows too large to add up.
	p, sum, waits, inLine, busy := 1.0, 1.0, 0.0, 0.0, 0.0
	for n := 1; ; n++ {
		down := float64(min(n, e.Agents))*mu + float64(max(n-e.Agents, 0))*theta
		p *= e.Rate / down
		sum += p
		busy += p * float64(min(n, e.Agents))
		if n >= e.Agents {
			waits += p
			inLine += p * float64(n-e.Agents)
		}
		if n > e.Agents && p < enough*sum && e.Rate < down {
			break
		}
		if sum > 1e200 {
			p, sum, waits, inLine, busy = p/1e200, sum/1e200, waits/1e200, inLine/1e200, busy/1e200
		}
	}
	if e.Agents == 0 {
		waits = sum
	}
	s := Steady{Waits: waits / sum, Mean: inLine / sum / e.Rate, Left: theta * inLine / sum / e.Rate}
	if e.Agents > 0 {
		s.Busy = busy / sum / float64(e.Agents)
	}
	return s
}
