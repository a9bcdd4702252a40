package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/packetcache/packetcache/internal/pcctl"
)

// TestMain makes the test binary the two commands, for scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"packetcache": func() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) },
		"pcctl":       func() { os.Exit(pcctl.Main(os.Args, os.Stdout, os.Stderr)) },
	})
}
