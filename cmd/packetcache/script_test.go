//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/scripttest"
)

// patience is how long something may take that should happen soon.
const patience = 60 * time.Second

// TestScripts runs testdata/script. Each begins with the captures a.pcap, of 3
// packets, and cut.pcap, which is that without its last byte. Beside the usual
// commands they know
//
//	exits CODE PROGRAM ARGS...  as exec, but for the exit code
//	answers DIR STATE           wait until the service there is in a state
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("SUDO_USER", "")
			env.Setenv("NOTIFY_SOCKET", "")
			file := capture()
			if err := os.WriteFile(filepath.Join(env.WorkDir, "cut.pcap"), file[:len(file)-1], 0o600); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "a.pcap"), file, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   scripttest.Exits,
			"answers": scriptAnswers,
		},
	})
}

func scriptAnswers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answers DIR STATE")
	}
	client := control.NewClient(ts.MkAbs(args[0]))
	defer client.Close()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		st, err := client.Status(context.Background())
		if err == nil && string(st.State) == args[1] {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not within %v: %s; but %q, %v", patience, args[1], st.State, err)
		}
	}
}
