package pcctl

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the command, for scripts and for tests that
// send it signals.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"pcctl": func() { os.Exit(Main(os.Args, os.Stdout, os.Stderr)) },
	})
}
