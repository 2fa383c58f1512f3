package live

// maxOnce bounds the answers that are kept of one person's commands.
const maxOnce = 64

// once keeps what was answered to commands that must not be done twice: a page asks again
// after its line was cut, with the same id. f.mu guards it.
type once struct {
	answers map[string][]byte // by kind and id; nil = it is being done
	order   []string
}

// again reports whether frames of a kind are answered as before when their id comes again.
// Others look by themselves whether they were done.
func again(in *incoming) bool {
	switch in.T {
	case kindPlace, kindLink, kindMove, kindTakeOver, kindAsk, kindCall, kindInvite, kindHandBack, kindUpgrade, kindCheck, kindInviteBy, kindJoin:
		return true
	}
	return false
}

// begin notes that a command is being done; known says that it was asked before: then
// answer is what came of it, nil while it is still being done.
func (f *feed) begin(in *incoming) (answer []byte, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := in.T + " " + in.ID
	if answer, known = f.once.answers[key]; known {
		return answer, true
	}
	if f.once.answers == nil {
		f.once.answers = map[string][]byte{}
	}
	if len(f.once.order) >= maxOnce {
		delete(f.once.answers, f.once.order[0])
		f.once.order = f.once.order[1:]
	}
	f.once.answers[key] = nil
	f.once.order = append(f.once.order, key)
	return nil, false
}

// settle keeps what was answered; what was not done may be asked again, and is forgotten.
func (f *feed) settle(in *incoming, answer []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := in.T + " " + in.ID
	if _, kept := f.once.answers[key]; !kept {
		return
	}
	if answer != nil {
		f.once.answers[key] = answer
		return
	}
	delete(f.once.answers, key)
	for i, k := range f.once.order {
		if k == key {
			f.once.order = append(f.once.order[:i:i], f.once.order[i+1:]...)
			return
		}
	}
}
