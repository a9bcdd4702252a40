// Package system32 is imported for its effect: on Windows, DLLs are from then
// on looked for in the system directory only, and not beside the program or in
// the current directory, where someone else may have put one.
//
// Packages are initialized in the order of their import paths as soon as what
// they import is (go.dev/ref/spec#Package_initialization). This one imports
// syscall and no more, so its turn comes before that of every package that
// needs net or os. A test holds it to that.
package system32
