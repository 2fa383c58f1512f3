package tandem

import "time"

// TaskKind is what an agent is asked to do.
type TaskKind string

const (
	TaskCallback  TaskKind = "callback"
	TaskVoicemail TaskKind = "voicemail"
)

// TaskState is where a task is in its life.
type TaskState string

const (
	TaskWaiting TaskState = "waiting"
	TaskDone    TaskState = "done"
)

// Task is a place in line for one interaction. Arrived is the time that orders
// the line: for a callback after a lost call, the time the lost call arrived.
type Task struct {
	ID          TaskID        `json:"id"`
	Interaction InteractionID `json:"interaction"`
	Kind        TaskKind      `json:"kind"`
	Queue       string        `json:"queue"`
	State       TaskState     `json:"state"`
	Arrived     time.Time     `json:"arrived"`
	Blob        BlobID        `json:"blob,omitempty"` // the recording of a voicemail
	Note        string        `json:"note,omitempty"` // why it was opened, in words without personal data
}
