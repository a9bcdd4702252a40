// Package guard looks at who may change files that have to be safe from all but
// administrators, and makes directories and files that are.
package guard

import "fmt"

// A Writer is an account, other than those that own the machine anyway, that can
// put something of its own in the place of a program.
type Writer struct {
	Account string
	// Own means that it is the account of this process: what it runs without
	// being elevated can do so too.
	Own bool
	// Path is what it may change: the program, its directory, or one above.
	Path string
}

// String says it in words.
func (w Writer) String() string { return fmt.Sprintf("%s may change %s", w.Account, w.Path) }
