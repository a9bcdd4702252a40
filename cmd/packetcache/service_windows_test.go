package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/service"
)

// What sc create registers, with the share of memory as an argument among
// others, starts, answers and stops.
func TestServiceBySC(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a, b.pcap")
	if err := os.WriteFile(file, capture(), 0o600); err != nil {
		t.Fatal(err)
	}
	suffix := fmt.Sprintf("-service-test-%d", os.Getpid())
	o := service.Options{Name: "PacketCache" + suffix}
	line := fmt.Sprintf(`"%s" --replay "%s" 0.1 --endpoint-dir=%s`, self, file, suffix)
	if out, err := exec.Command("sc.exe", "create", o.Name, "binPath=", line, "start=", "auto").CombinedOutput(); err != nil {
		t.Fatalf("sc create: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if err := service.Control(service.Uninstall, o); err != nil {
			t.Error(err)
		}
	})
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
}
