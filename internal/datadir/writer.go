package datadir

import (
	"errors"
	"io/fs"
	"sync"
)

// A Writer writes a file beside its place and puts it there when it is complete.
// After an error of any of its methods all but Abort return that error: what the
// disk has of it is unknown, and to ask it again would not tell (fsync(2)).
//
// Sync may go on while Write is called; what comes then waits for the next one.
type Writer struct {
	dir  *Dir
	name string
	file File // nil when it is closed

	mu  sync.Mutex
	err error
}

// Create begins to write a file. There is one Writer for a name at a time, and it
// is to be ended by Commit or Abort.
func (d *Dir) Create(name string) (*Writer, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	f, err := d.files.Create(name + unfinished)
	if errors.Is(err, fs.ErrExist) { // could not be removed before
		if err := d.files.Remove(name + unfinished); err != nil {
			return nil, err
		}
		f, err = d.files.Create(name + unfinished)
	}
	if err != nil {
		return nil, err
	}
	return &Writer{dir: d, name: name, file: f}, nil
}

// GiveWay has the disk serve others before this file, where it can.
func (w *Writer) GiveWay() {
	if f, ok := w.file.(interface{ giveWay() }); ok {
		f.giveWay()
	}
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if err := w.failed(); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	return n, w.note(err)
}

// Sync returns when what was written so far is on the disk, so that Commit has to
// wait for the rest only.
func (w *Writer) Sync() error {
	if err := w.failed(); err != nil {
		return err
	}
	return w.note(w.file.Sync())
}

// Commit puts the file in its place, in that of the one before if there is one, and
// returns when it is on the disk. After an error either may be in place, now and
// after a power cut.
func (w *Writer) Commit() error {
	if err := w.Sync(); err != nil {
		return err
	}
	err := w.file.Close()
	w.file = nil
	if err == nil {
		err = w.dir.files.Replace(w.name+unfinished, w.name)
	}
	if err == nil {
		err = w.dir.files.Sync()
	}
	if err != nil {
		return w.note(err)
	}
	_ = w.note(fs.ErrClosed)
	return nil
}

// Abort ends the writing and leaves nothing of it; after Commit it does nothing.
func (w *Writer) Abort() {
	if errors.Is(w.failed(), fs.ErrClosed) {
		return
	}
	if w.file != nil {
		_ = w.file.Close()
		w.file = nil
	}
	w.mu.Lock()
	w.err = fs.ErrClosed
	w.mu.Unlock()
	_ = w.dir.files.Remove(w.name + unfinished)
}

// failed is the first error there was.
func (w *Writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// note keeps an error, if it is the first, and returns the first.
func (w *Writer) note(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	return w.err
}
