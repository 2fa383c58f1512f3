package expression

// Env, Program and Template: to be written.
type (
	Env      struct{}
	Program  struct{}
	Template struct{}
)
