package endtoend

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// What pcctl dump is asked for is what it writes.
func TestPcctlDumpChooses(t *testing.T) {
	m := mixture(t, 3000) // a packet each millisecond, every third to port 53
	s := start(t, "", "--ram-size", "40MiB", "--replay", m.path)
	s.awaitReplay()
	at := func(i int) string { return stamp(m.all[i].time) }
	queries := slices.DeleteFunc(slices.Clone(m.all), func(r record) bool { return r.data[36:38] != "\x00\x35" })
	for _, test := range []struct {
		name string
		args []string
		want []record
	}{
		{"everything", nil, m.all},
		{"since", []string{"--since", at(1000)}, m.all[1000:]},
		{"until", []string{"--until", at(1000)}, m.all[:1001]},
		{"both", []string{"--since", at(500), "--until", at(999)}, m.all[500:1000]},
		{"one instant", []string{"--since", at(7), "--until", at(7)}, m.all[7:8]},
		{"between two packets", []string{"--since", "2026-03-01T09:00:00.0001Z", "--until", "2026-03-01T09:00:00.0009Z"}, nil},
		{"the last second", []string{"--last", "1s"}, m.all[1999:]},
		{"a filter", []string{"--filter", "udp dst port 53"}, queries},
		{"a filter and a time", []string{"--filter", "port 53", "--since", at(1500)}, queries[500:]},
		{"nothing", []string{"--filter", "tcp"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			for format, unit := range map[string]time.Duration{"pcap": time.Microsecond, "pcapng": time.Nanosecond} {
				file, says := s.dumpSaying(append(test.args, "--format", format)...)
				same(t, format, readFile(t, file), test.want, unit)
				checkSummary(t, file, says, len(test.want))
			}
		})
	}
	t.Run("a limit", func(t *testing.T) {
		for _, format := range []string{"pcap", "pcapng"} {
			file, says := s.dumpSaying("--limit", "100kB", "--format", format)
			got := readFile(t, file)
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > 100_000 || info.Size() < 98_000 {
				t.Errorf("%s has %d bytes", format, info.Size())
			}
			if !strings.Contains(says, "--limit was reached") {
				t.Errorf("pcctl says\n%s", says)
			}
			unit := map[string]time.Duration{"pcap": time.Microsecond, "pcapng": time.Nanosecond}[format]
			same(t, format, got, m.all[:len(got)], unit)
		}
	})
	t.Run("to standard output", func(t *testing.T) {
		stdout, stderr, code := s.pcctl("dump", "-w", "-")
		got, err := read([]byte(stdout))
		if code != 0 || err != nil {
			t.Fatalf("exit code %d, %v: %s", code, err, stderr)
		}
		same(t, "pcap", got, m.all, time.Microsecond)
	})
	t.Run("mistakes", func(t *testing.T) {
		for _, test := range []struct {
			args string
			says string
		}{
			{"--filter|udp prot 53", "^"},
			{"--since|yesterday", "not a time"},
			{"--since|2026-03-01|--last|1h", "exclude each other"},
			{"--since|2026-03-02|--until|2026-03-01", "before"},
			{"--limit|0", "leaves room for nothing"},
			{"--limit|many", "--limit"},
			{"--format|pcapngng", "neither pcap nor pcapng"},
			{"--last|-1h", "--last"},
			{"something", "unexpected argument"},
		} {
			file := filepath.Join(t.TempDir(), "x")
			_, stderr, code := s.pcctl(append([]string{"dump", "-w", file}, strings.Split(test.args, "|")...)...)
			if code != 2 || !strings.Contains(stderr, test.says) {
				t.Errorf("%s: exit code %d, want 2 and %q:\n%s", test.args, code, test.says, stderr)
			}
			if _, err := os.Stat(file); err == nil {
				t.Errorf("%s: there is a file", test.args)
			}
		}
	})
}

// checkSummary holds what pcctl says of a file against the file.
func checkSummary(t *testing.T, file, says string, packets int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	if !strings.Contains(says, hex.EncodeToString(sum[:])) {
		t.Errorf("the SHA-256 is %x, pcctl says\n%s", sum, says)
	}
	if tool := must(t, need(t, "sha256sum"), file); !strings.HasPrefix(tool, hex.EncodeToString(sum[:])) {
		t.Errorf("sha256sum says %s, not %x", tool, sum)
	}
	count := fmt.Sprintf("%d packets", packets)
	if packets >= 1000 {
		count = fmt.Sprintf("%d,%03d packets", packets/1000, packets%1000)
	}
	if packets == 1 {
		count = "1 packet"
	}
	if !strings.Contains(says, ": "+count+", ") {
		t.Errorf("pcctl does not say %q:\n%s", count, says)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
}

// The answers for programs have the fields that are documented and no others.
func TestPcctlJSON(t *testing.T) {
	s := start(t, "", "--ram-size", "8MiB", "--replay", bulk(t, 20<<20, 50))
	s.awaitReplay()
	stdout, stderr, code := s.pcctl("status", "--json")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var st control.Status
	strictly(t, stdout, &st)
	if st.State != control.StateIdle || st.PID != s.cmd.Process.Pid || len(st.Horizons) != 6 || len(st.Classes) < 3 ||
		len(st.Interfaces) != 1 || st.Totals.Evicted.Packets == 0 || st.Sessions.Seen != 50 || len(st.Coverage) != 2 {
		t.Errorf("the status is\n%s", stdout)
	}
	if i := st.Interfaces[0]; i.State != control.InterfaceReplayed || i.LinkTypeNumber != 1 || i.Stored != st.Totals.Stored {
		t.Errorf("the interface is %+v, the totals %+v", i, st.Totals)
	}
	var held uint64
	for _, c := range st.Classes {
		held += c.Packets
	}
	if want := st.Totals.Stored.Packets - st.Totals.Evicted.Packets; held+st.Sessions.Unanswered != want {
		t.Errorf("the classes hold %d packets, %d are stored and not evicted", held, want)
	}
	stdout, _, _ = s.pcctl("interfaces", "--json")
	var interfaces control.Interfaces
	strictly(t, stdout, &interfaces)
	if len(interfaces.Interfaces) != 1 {
		t.Errorf("the interfaces are\n%s", stdout)
	}
}

// strictly decodes JSON that may have known fields only.
func strictly(t *testing.T, text string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

// A watch shows what changes.
func TestPcctlWatch(t *testing.T) {
	w := newWire(t)
	s := start(t, w.a, "--ram-size", "8MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	watch := begin(t, w.a.command(program(t, "pcctl"), "status", "--watch", "--json", "--endpoint-dir", s.dir))
	frames := func() (all []control.Status) {
		for line := range strings.Lines(watch.stdout.String()) {
			var st control.Status
			if json.Unmarshal([]byte(line), &st) == nil {
				all = append(all, st)
			}
		}
		return all
	}
	eventually(t, "the first frame", func() bool { return len(frames()) > 0 })
	w.a.must(t, "ping", "-n", "-c", "10", "-i", "0.01", plain4)
	eventually(t, "a frame with the pings", func() bool {
		all := frames()
		return all[len(all)-1].Totals.Seen.Packets >= all[0].Totals.Seen.Packets+20
	})
	if err := watch.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := watch.exitCode(t, patience); code != 0 {
		t.Errorf("exit code %d after Ctrl+C: %s", code, watch.log.String())
	}
}

// Without a service pcctl says so.
func TestPcctlWithoutService(t *testing.T) {
	dir := t.TempDir()
	for _, command := range []string{"status", "interfaces", "dump"} {
		_, stderr, code := run(t, program(t, "pcctl"), command, "--endpoint-dir", dir)
		if code != 3 || !strings.Contains(stderr, "Hint") {
			t.Errorf("pcctl %s: exit code %d, want 3: %s", command, code, stderr)
		}
	}
}
