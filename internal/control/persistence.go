package control

import "time"

// A PersistenceState is how it stands with keeping the cache over a restart.
type PersistenceState string

// The states of persistence.
const (
	// PersistenceOff: nothing is kept; Note says why not.
	PersistenceOff PersistenceState = "off"
	// PersistenceWaiting: the data directory cannot be used, as Problem says. It
	// is tried again.
	PersistenceWaiting PersistenceState = "waiting"
	// PersistenceRestoring: the file of an earlier run is being read back.
	PersistenceRestoring PersistenceState = "restoring"
	// PersistenceReady: the next save is that of a checkpoint or the stop.
	PersistenceReady PersistenceState = "ready"
	// PersistenceSaving: the cache is being sealed.
	PersistenceSaving PersistenceState = "saving"
)

// Persistence says what is kept over a restart, and what was.
type Persistence struct {
	State PersistenceState `json:"state"`
	// Note says why it is off.
	Note string `json:"note,omitempty"`
	// Problem says why the last try to save or to use the directory failed.
	Problem string `json:"problem,omitempty"`
	// Directory is where the sealed file and its keys are.
	Directory string `json:"directory,omitempty"`
	// LastSave is the last one of this run that succeeded.
	LastSave *Save `json:"last_save,omitempty"`
	// Restore is what came back from an earlier run.
	Restore *Restore `json:"restore,omitempty"`
	// NextCheckpoint is when the next one is due, absent when none is.
	// CheckpointNote says why it is later than the interval, or waits.
	NextCheckpoint time.Time `json:"next_checkpoint,omitzero"`
	CheckpointNote string    `json:"checkpoint_note,omitempty"`
	// SetAside are files that could not be read to their end, and were kept.
	SetAside []string `json:"set_aside"`
}

// A Save is the cache sealed into a file.
type Save struct {
	// Time is as of when, Seconds how long it took.
	Time    time.Time `json:"time"`
	Seconds float64   `json:"seconds"`
	// Checkpoint is true for one while the service ran.
	Checkpoint bool `json:"checkpoint"`
	// Packets and Bytes are in the file, which is FileBytes long.
	Packets   uint64 `json:"packets"`
	Bytes     uint64 `json:"bytes"`
	FileBytes int64  `json:"file_bytes"`
	// Missing did not make it in the time there was.
	Missing Count `json:"missing"`
}

// A Restore is a file of an earlier run read back.
type Restore struct {
	// Saved is as of when the file was written, Checkpoint whether that was
	// while the service ran, so that what it recorded until its end is not in
	// the file.
	Saved      time.Time `json:"saved"`
	Checkpoint bool      `json:"checkpoint"`
	// AwaySeconds is how long ago that was when the service started.
	AwaySeconds float64 `json:"away_seconds"`
	// SetBackSeconds is by how much the clock of the machine has gone back since, at
	// least; then AwaySeconds is 0, and nobody knows.
	SetBackSeconds float64 `json:"set_back_seconds,omitempty"`
	// Packets and Bytes have come back; Missing are those of the file that have
	// not, for want of memory or because the file is damaged.
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	Missing Count  `json:"missing"`
	// Damage says what was wrong with the file.
	Damage string `json:"damage,omitempty"`
	// Done is the part of the file that has been read, from 0 to 1.
	Done float64 `json:"done"`
}
