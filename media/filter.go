package media

// tune is called whenever who listens to the stream changes.
func (s *Stream) tune() {}
