//go:build unix

package pcctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/scripttest"
)

// TestScripts runs testdata/script. Beside the usual commands they know
//
//	service [FILE|denied|broken]   a service with the status in FILE, from now on
//	plans FILE                     the service answers with that plan
//	exits CODE PROGRAM ARGS...     as exec, but for the exit code
//	stalled N / asked N            wait for that many dumps or status requests
//	stop                           the service ends dumps that follow
//	leaves DIR NAME...             DIR holds these files and no others
//	commandline OPTION VALUE...    the service was started with that option
//	frozen                         the service keeps the settings it has
//	restarting KEY                 it takes that setting over with a restart
//	sealed                         there is a sealed cache, with its keys
//	flip FILE OFFSET...            a bit of these bytes changes
//	haskey KEYFILE                 the service has that key
//	replacing NEW FILE             NEW is put into the place of FILE when the service
//	                               is asked for a key
//
// The settings of the machine stand in packetcache.toml.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("SUDO_UID", "")
			env.Setenv(sshVariable, "")
			env.Setenv(envEndpointDir, filepath.Join(env.WorkDir, "run"))
			settings := filepath.Join(env.WorkDir, "packetcache.toml")
			env.Setenv(envSettings, settings)
			env.Values[servingKey{}] = new(bool)
			env.Values[fakeKey{}] = &fakeService{stop: make(chan struct{}), sources: []config.Source{config.TOMLFile{Path: settings}}}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"service": scriptService,
			"plans": func(ts *testscript.TestScript, _ bool, args []string) {
				fake := fakeOf(ts)
				fake.mu.Lock()
				defer fake.mu.Unlock()
				ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &fake.plan))
			},
			"sealed": func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(writeSealed(ts.MkAbs("."))) },
			"flip":   scriptFlip,
			"haskey": func(ts *testscript.TestScript, _ bool, args []string) {
				ids, err := readKeys([]string{ts.MkAbs(args[0])}, nil)
				ts.Check(err)
				fake := fakeOf(ts)
				fake.mu.Lock()
				defer fake.mu.Unlock()
				fake.key = ids[0]
			},
			"replacing": func(ts *testscript.TestScript, _ bool, args []string) {
				from, to := ts.MkAbs(args[0]), ts.MkAbs(args[1])
				fake := fakeOf(ts)
				fake.mu.Lock()
				defer fake.mu.Unlock()
				fake.asksOnce = func() { _ = os.Rename(from, to) }
			},
			"exits":  scripttest.Exits,
			"leaves": scriptLeaves,
			"stop":   func(ts *testscript.TestScript, _ bool, _ []string) { close(fakeOf(ts).stop) },
			"commandline": func(ts *testscript.TestScript, _ bool, args []string) {
				given := &config.Args{}
				given.Set(args[0], args[1:]...)
				fake := fakeOf(ts)
				fake.mu.Lock()
				defer fake.mu.Unlock()
				fake.sources = append(fake.sources, given)
			},
			"restarting": func(ts *testscript.TestScript, _ bool, args []string) {
				fake := fakeOf(ts)
				fake.mu.Lock()
				defer fake.mu.Unlock()
				fake.restart = args[0]
			},
			"frozen": func(ts *testscript.TestScript, _ bool, _ []string) {
				fake := fakeOf(ts)
				fake.mu.Lock()
				defer fake.mu.Unlock()
				fake.frozen = (&config.Loader{Sources: fake.sources}).Load(nil)
			},
			"stalled": func(ts *testscript.TestScript, _ bool, args []string) {
				waitFor(ts, args, fakeOf(ts).stalled.Load)
			},
			"asked": func(ts *testscript.TestScript, _ bool, args []string) {
				waitFor(ts, args, fakeOf(ts).asked.Load)
			},
		},
	})
}

type (
	fakeKey    struct{}
	servingKey struct{} // whether the fake has its endpoint
)

func fakeOf(ts *testscript.TestScript) *fakeService {
	return ts.Value(fakeKey{}).(*fakeService)
}

func scriptService(ts *testscript.TestScript, _ bool, args []string) {
	fake := fakeOf(ts)
	fake.set(ts, args)
	serving := ts.Value(servingKey{}).(*bool)
	if *serving {
		return
	}
	*serving = true
	stop, err := fake.serve(ts.Getenv(envEndpointDir))
	ts.Check(err)
	ts.Defer(stop)
}

// set makes the fake answer as the arguments of "service" say.
func (f *fakeService) set(ts *testscript.TestScript, args []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(args) == 0:
	case args[0] == "denied":
		f.fail = &control.Problem{Status: 403, Message: "this account may not use the control endpoint"}
	case args[0] == "broken":
		f.fail = errors.New("the cache is on fire")
	default:
		f.status = control.Status{}
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &f.status))
	}
}

func scriptLeaves(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if fmt.Sprint(names) != fmt.Sprint(args[1:]) {
		ts.Fatalf("%s holds %v, want %v", args[0], names, args[1:])
	}
}

// scriptFlip changes a file as a failing disk may.
func scriptFlip(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	content, err := os.ReadFile(path)
	ts.Check(err)
	for _, arg := range args[1:] {
		at, err := strconv.Atoi(arg)
		ts.Check(err)
		content[at] ^= 1
	}
	ts.Check(os.WriteFile(path, content, 0o600))
}

func waitFor(ts *testscript.TestScript, args []string, count func() int64) {
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	ts.Check(eventually(fmt.Sprintf("%d requests", want), func() bool { return count() >= want }))
}
