package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/retention/week"
)

// TestRun measures some hours that are made up, from the command line to the
// pictures.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	dir := filepath.Join(t.TempDir(), "new")
	o := options{trace: "week", budget: 4 << 20, bias: 2, sweep: true, week: week.Week{Seed: 1, Days: 0.02}, out: dir}
	if err := o.run(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"week: ", "through 4 MiB", "| plain ring |", "truncation alone | PacketCache |", "| bias 2.5 |", "CPU, of one core"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
	for _, name := range []string{"retention-week", "retention-week-heads", "retention-week-horizons"} {
		for ext, begin := range map[string]string{".svg": "<svg ", ".png": "\x89PNG"} {
			if b, err := os.ReadFile(filepath.Join(dir, name+ext)); err != nil || !bytes.HasPrefix(b, []byte(begin)) {
				t.Errorf("%s%s: %.10q, %v", name, ext, b, err)
			}
		}
	}
}

func TestRunOnNothing(t *testing.T) {
	o := options{trace: filepath.Join(t.TempDir(), "nothing.pcap"), budget: 4 << 20}
	if err := o.run(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "nothing.pcap") {
		t.Error(err)
	}
}
