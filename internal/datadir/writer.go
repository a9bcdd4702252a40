package datadir

import (
	"errors"
	"io/fs"
)

// A Writer writes a file beside its place and puts it there when it is complete.
// After an error of any of its methods all but Abort return that error: what the
// disk has of it is unknown, and to ask it again would not tell (fsync(2)).
type Writer struct {
	dir  *Dir
	name string
	file File // nil when it is closed
	err  error
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

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(p)
	w.err = err
	return n, err
}

// Sync returns when what was written so far is on the disk, so that Commit has to
// wait for the rest only.
func (w *Writer) Sync() error {
	if w.err == nil {
		w.err = w.file.Sync()
	}
	return w.err
}

// Commit puts the file in its place, in that of the one before if there is one, and
// returns when it is on the disk. After an error either may be in place, now and
// after a power cut.
func (w *Writer) Commit() error {
	if err := w.Sync(); err != nil {
		return err
	}
	w.err = w.file.Close()
	w.file = nil
	if w.err == nil {
		w.err = w.dir.files.Replace(w.name+unfinished, w.name)
	}
	if w.err == nil {
		w.err = w.dir.files.Sync()
	}
	if w.err != nil {
		return w.err
	}
	w.err = fs.ErrClosed
	return nil
}

// Abort ends the writing and leaves nothing of it; after Commit it does nothing.
func (w *Writer) Abort() {
	if errors.Is(w.err, fs.ErrClosed) {
		return
	}
	if w.file != nil {
		_ = w.file.Close()
		w.file = nil
	}
	w.err = fs.ErrClosed
	_ = w.dir.files.Remove(w.name + unfinished)
}
