package pcctl

import (
	"io"
	"os"

	"golang.org/x/term"
)

// A terminal is an output that a person looks at.
type terminal struct{ f *os.File }

// terminalOf returns the terminal behind w, and false for files, pipes and
// terminals that cannot move the cursor.
func terminalOf(w io.Writer) (terminal, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return terminal{}, false
	}
	return terminal{f}, true
}

// size is the number of columns and rows, 80 by 24 when it is not known.
func (t terminal) size() (columns, rows int) {
	columns, rows, err := term.GetSize(int(t.f.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}
