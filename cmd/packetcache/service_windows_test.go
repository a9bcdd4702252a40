package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	logrustest "github.com/sirupsen/logrus/hooks/test"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/service"
)

// createService has sc create a service of this program, for the test.
func createService(t *testing.T, suffix, arguments string) service.Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := service.Options{Name: "PacketCache" + suffix}
	line := fmt.Sprintf(`"%s" %s`, self, arguments)
	if out, err := exec.Command("sc.exe", "create", o.Name, "binPath=", line, "start=", "auto").CombinedOutput(); err != nil {
		t.Fatalf("sc create: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if err := service.Control(service.Uninstall, o); err != nil {
			t.Error(err)
		}
	})
	return o
}

// What sc create registers, with the share of memory as an argument among
// others, starts, answers and stops.
func TestServiceBySC(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a, b.pcap")
	if err := os.WriteFile(file, capture(), 0o600); err != nil {
		t.Fatal(err)
	}
	suffix := fmt.Sprintf("-service-test-%d", os.Getpid())
	dir := filepath.Join(t.TempDir(), "data")
	o := createService(t, suffix, fmt.Sprintf(`--replay "%s" 0.1 --endpoint-dir=%s --data-dir "%s"`, file, suffix, dir))
	if err := service.Control(service.Start, o); err != nil {
		t.Fatal(err)
	}
	client := control.NewClient(suffix)
	defer client.Close()
	deadline := time.Now().Add(time.Minute)
	for {
		st, err := client.Status(t.Context())
		if err == nil && st.Totals.Seen.Packets == 3 && st.State == control.StateIdle {
			if st.Memory.BudgetBytes > 1<<30 {
				t.Errorf("0.1 percent are %d bytes", st.Memory.BudgetBytes)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the service has %d packets, is %s, %v", st.Totals.Seen.Packets, st.State, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := service.Control(service.Stop, o); err != nil {
		t.Error(err)
	}
	if _, err := client.Status(t.Context()); err == nil {
		t.Error("it answers after the stop")
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a service that ended in order its directory is left: %v", err)
	}
}

// A service that crashes leaves word of it for the next start.
func TestServiceCrashes(t *testing.T) {
	suffix := fmt.Sprintf("-crash-test-%d", os.Getpid())
	dir, now := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "now")
	o := createService(t, suffix, fmt.Sprintf(`--endpoint-dir=%s --data-dir "%s" "--crash-when=%s"`, suffix, dir, now))
	if err := service.Control(service.Start, o); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(now, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log, hook := logrustest.NewNullLogger()
	var told string
	for deadline := time.Now().Add(time.Minute); told == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no event tells of the crash")
		}
		hook.Reset()
		end := watchCrashes(log, dir) // which fails as long as the process is there
		for _, entry := range hook.AllEntries() {
			if e, ok := entry.Data[eventlog.Field].(eventlog.Occurrence); ok && e.Event().Name == "Crashed" {
				told = entry.Message
			}
		}
		end()
	}
	for _, part := range []string{"PacketCache crashed at 2", filepath.Join(dir, "crash.txt"), "a crash for a test", "crashWhenTold"} {
		if !strings.Contains(told, part) {
			t.Errorf("the event lacks %q:\n%s", part, told)
		}
	}
}
