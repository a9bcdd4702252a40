package daemon

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/capture/capturetest"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/control"
	"github.com/packetcache/packetcache/internal/ipc"
)

// runFromFile runs a daemon whose settings stand in a file, which change
// replaces.
func runFromFile(t *testing.T, text string) (s *subject, change func(string)) {
	t.Helper()
	file := config.TOMLFile{Path: filepath.Join(t.TempDir(), "packetcache.toml")}
	change = func(text string) {
		t.Helper()
		if err := os.WriteFile(file.Path+"~", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file.Path+"~", file.Path); err != nil {
			t.Fatal(err)
		}
	}
	change(text)
	dir := endpointDir(t)
	args := &config.Args{}
	args.Set("endpoint-dir", dir)
	loader := &config.Loader{Sources: []config.Source{file, args}, TotalRAM: 1 << 30, CheckFilter: CheckFilter, CheckGroup: ipc.CheckGroup}
	s = &subject{t: t, dir: dir, client: control.NewClient(dir)}
	s.run(Options{Loader: loader, Loaded: loader.Load(nil), Log: logrus.New(), Foreground: &s.said})
	return s, change
}

// A talker sends frames, as fast as they are recorded.
type talker struct {
	sent    atomic.Uint64
	stop    func()
	sending sync.Mutex
}

// alone has it send nothing else while do is at work.
func (tk *talker) alone(do func()) {
	tk.sending.Lock()
	defer tk.sending.Unlock()
	do()
}

func (s *subject) talk(name string) *talker {
	random := rand.New(rand.NewPCG(1, 1))
	chunk := make([][]byte, 400)
	for i := range chunk {
		chunk[i] = []byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5")
		for len(chunk[i]) < 1314 { // nothing that could be compressed
			chunk[i] = append(chunk[i], byte(random.Uint32()))
		}
	}
	tk := &talker{}
	var ended atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !ended.Load() {
			tk.alone(func() {
				capturetest.Send(s.t, name, chunk...)
				sent := tk.sent.Add(uint64(len(chunk)))
				s.await("what was sent", func(st control.Status) bool {
					return st.Totals.Seen.Packets+st.Totals.Dropped >= sent
				})
			})
		}
	})
	tk.stop = func() { ended.Store(true); wg.Wait() }
	s.t.Cleanup(tk.stop)
	return tk
}

func interfaceOf(st control.Status, name string) (found control.Interface) {
	for _, i := range st.Interfaces {
		if i.Name == name {
			found = i
		}
	}
	return found
}

// Settings that change while the service runs apply at once, while packets
// come, and what fits is kept.
func TestSettingsChangeLive(t *testing.T) {
	capturetest.Veth(t, "pcla", "pclb")
	capturetest.Veth(t, "pclc", "pcld")
	const mib = 1 << 20
	base := "interfaces = [\"pcla\"]\n"
	s, change := runFromFile(t, base+"ram-size = \"16MiB\"\n")
	st := s.await("pcla", func(st control.Status) bool { return interfaceOf(st, "pcla").State == control.InterfaceCapturing })
	since := interfaceOf(st, "pcla").Since
	talk := s.talk("pclb")
	s.await("10 MiB stored", func(st control.Status) bool { return st.Memory.CacheBytes > 10*mib })

	talk.alone(func() { // or they may be full before it grows
		change(base + "ram-size = \"40MiB\"\n")
		s.await("a larger budget", func(st control.Status) bool { return st.Memory.BudgetBytes == 40*mib })
	})
	st = s.await("growth", func(st control.Status) bool { return st.Memory.BudgetBytes == 40*mib && st.Memory.CacheBytes > 24*mib })
	if st.Totals.Evicted.Packets != 0 {
		t.Errorf("%d packets were evicted to grow from 16 to 40 MiB, before these were full", st.Totals.Evicted.Packets)
	}

	change(base + "ram-size = \"10MiB\"\n")
	st = s.await("shrinking", func(st control.Status) bool { return st.Memory.BudgetBytes == 10*mib })
	if st.Memory.UsedBytes > 10*mib+2*mib || st.Memory.CacheBytes < 6*mib || st.Totals.Evicted.Packets == 0 {
		t.Errorf("shrunk to 10 MiB: %+v, %d packets evicted", st.Memory, st.Totals.Evicted.Packets)
	}
	seen := st.Totals.Seen.Packets
	s.await("more packets", func(st control.Status) bool { return st.Totals.Seen.Packets > seen+1000 })

	change(base + "ram-size = 1\nbias = 99\n")
	st = s.await("two wrong values", func(st control.Status) bool {
		return strings.Contains(strings.Join(st.Warnings, "\n"), "packetcache.toml:2") && strings.Contains(strings.Join(st.Warnings, "\n"), "packetcache.toml:3")
	})
	if st.Memory.BudgetBytes != 10*mib {
		t.Errorf("with a wrong value the budget is %d", st.Memory.BudgetBytes)
	}
	change(base + "ram-size = \"10MiB\"\ncapture-filter = \"prot 80\"\n")
	s.await("a wrong filter", func(st control.Status) bool { return strings.Contains(strings.Join(st.Warnings, "\n"), "prot 80") })

	change("interfaces = [\"pcl*\"]\nexclude = [\"pclb\", \"pcld\"]\nram-size = \"10MiB\"\nbias = 3\ndata-dir = \"/nowhere\"\nlog-level = \"debug\"\n")
	st = s.await("another interface", func(st control.Status) bool { return interfaceOf(st, "pclc").State == control.InterfaceCapturing })
	if got := interfaceOf(st, "pcla"); got.State != control.InterfaceCapturing || !got.Since.Equal(since) {
		t.Errorf("pcla is %s since %v, and was captured since %v", got.State, got.Since, since)
	}
	if words := "data-dir was changed to /nowhere, which applies after a restart"; !strings.Contains(strings.Join(st.Warnings, "\n"), words) {
		t.Errorf("the warnings are %q, want %q", st.Warnings, words)
	}
	kinds := ""
	for _, e := range st.Coverage {
		if e.Kind == "settings" {
			kinds += e.Text + "\n"
		}
	}
	for _, words := range []string{`interfaces was changed from pcla to "pcl*"`, "exclude was changed from nothing to pclb pcld", "bias was changed from 2 to 3", "ram-size was changed from 16MiB to 40MiB"} {
		if !strings.Contains(kinds, words) {
			t.Errorf("the coverage log lacks %q:\n%s", words, kinds)
		}
	}

	talk.stop()
	change("interfaces = [\"pclc\"]\n")
	s.await("the first one let go, and the default budget", func(st control.Status) bool {
		return interfaceOf(st, "pcla").State == control.InterfaceExcluded && st.Memory.BudgetBytes == 1<<30/100&^4095
	})
	// The other interface may have a word to say meanwhile.
	held := func() uint64 {
		totals := s.await("what is held", func(control.Status) bool { return true }).Totals
		return totals.Stored.Packets - totals.Evicted.Packets
	}
	before := held()
	result, err := s.client.Dump(t.Context(), control.DumpRequest{}, io.Discard, nil)
	if after := held(); err != nil || result.Packets < before || result.Packets > after {
		t.Errorf("%d packets dumped, and %d to %d were held, %v", result.Packets, before, after, err)
	}
	for _, words := range []string{
		"setting ram-size was changed from 16MiB to 40MiB", "memory of the cache was changed from 16777216 to 41943040",
		"memory of the cache was changed from 41943040 to 10485760", "A setting is wrong", "it applies after a restart",
	} {
		if !strings.Contains(s.log.String(), words) {
			t.Errorf("the log lacks %q:\n%s", words, s.log.String())
		}
	}
}

// Rules apply to sessions that begin after they were set. What they leave out is
// counted, and told where it stands what is recorded.
func TestRulesChangeLive(t *testing.T) {
	capturetest.Veth(t, "pcra", "pcrb")
	base := "interfaces = [\"pcra\"]\nram-size = \"8MiB\"\n"
	s, change := runFromFile(t, base+"retain = [\"x4 ether host 02:00:00:00:00:01\"]\n")
	s.await("pcra", func(st control.Status) bool { return interfaceOf(st, "pcra").State == control.InterfaceCapturing })
	sent := uint64(0)
	send := func(from ...byte) control.Status {
		var frames [][]byte
		for _, n := range from {
			frames = append(frames, append([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00"+string(n)+"\x88\xb5"), make([]byte, 50)...))
		}
		capturetest.Send(t, "pcrb", frames...)
		sent += uint64(len(from))
		return s.await("what was sent", func(st control.Status) bool {
			seen := uint64(0)
			for _, r := range st.Retain {
				seen += r.Seen.Packets
			}
			return seen >= sent
		})
	}
	send(1, 1)
	change(base + "retain = [\"x0 ether host 02:00:00:00:00:02\", \"x5 ether host 02:00:00:00:00:01\", \"x1 ether proto 0x88b5\"]\n")
	s.await("the new rules", func(st control.Status) bool { return len(st.Retain) == 3 })
	st := send(1, 2, 2, 3, 3, 3)
	for i, want := range []control.RetainRule{
		{Filter: "ether host 02:00:00:00:00:02", Factor: 0, Sessions: 1, Seen: control.Count{Packets: 2, Bytes: 128}},
		{Filter: "ether host 02:00:00:00:00:01", Factor: 5, Sessions: 1, Seen: control.Count{Packets: 3, Bytes: 192}},
		{Filter: "ether proto 0x88b5", Factor: 1, Sessions: 1, Seen: control.Count{Packets: 3, Bytes: 192}},
	} {
		got := st.Retain[i]
		if len(got.Horizons) == 0 != (want.Factor == 0) {
			t.Errorf("rule %d has horizons %+v", i, got.Horizons)
		}
		if got.Horizons = nil; !reflect.DeepEqual(got, want) {
			t.Errorf("rule %d is %+v, want %+v", i, got, want)
		}
	}
	if st.Totals.Refused["left out by a retain rule"] != 2 {
		t.Errorf("refused: %v", st.Totals.Refused)
	}
	change(base + "retain = [\"x0 ether hosts 02:00:00:00:00:01\"]\n")
	st = s.await("a wrong rule", func(st control.Status) bool {
		return strings.Contains(strings.Join(st.Warnings, "\n"), `rule 1, filter "ether hosts 02:00:00:00:00:01": position 7`)
	})
	if len(st.Retain) != 3 {
		t.Errorf("with a wrong rule the rules are %+v", st.Retain)
	}
	told := ""
	for _, e := range st.Coverage {
		told += e.Kind + " " + e.Text + "\n"
	}
	if !strings.Contains(told, `settings retain was changed from "x4 ether host 02:00:00:00:00:01" to "x0 ether host 02:00:00:00:00:02" "x5`) {
		t.Errorf("the coverage log says\n%s", told)
	}
}

// A setting that applies after a restart only is told so, and no other.
func TestNeedsRestart(t *testing.T) {
	s, change := runFromFile(t, "interfaces = [\"none\"]\n")
	change("interfaces = [\"none\"]\ndata-dir = \"/nowhere\"\nbias = 3\n")
	s.await("the change", func(control.Status) bool {
		settings, err := s.client.Settings(t.Context())
		dir, _ := settings.Find("data-dir")
		bias, _ := settings.Find("bias")
		return err == nil && dir.NeedsRestart && slices.Equal(dir.Values, []string{"/nowhere"}) &&
			!bias.NeedsRestart && slices.Equal(bias.Values, []string{"3"})
	})
}

// Memory that cannot be had leaves things as they are, and who asked for it is
// told so.
func TestMemoryThatCannotBeHad(t *testing.T) {
	capturetest.Veth(t, "pcma", "pcmb")
	const mib = 1 << 20
	base := "interfaces = [\"pcma\"]\n"
	s, change := runFromFile(t, base+"ram-size = \"16MiB\"\n")
	s.await("pcma", func(st control.Status) bool { return interfaceOf(st, "pcma").State == control.InterfaceCapturing })
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &before); err != nil {
		t.Fatal(err)
	}
	lifted := func() {
		if err := unix.Setrlimit(unix.RLIMIT_DATA, &before); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(lifted)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: dataBytes(t) + 300*mib, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	change(base + "ram-size = \"500MiB\"\n")
	s.await("the warning", func(st control.Status) bool {
		return strings.Contains(strings.Join(st.Warnings, "\n"), "The settings allow 500 MiB of memory, but it is 16 MiB")
	})
	settings, err := s.client.Settings(t.Context())
	if err != nil || len(settings.Problems) != 1 || settings.Problems[0].Key != "ram-size" ||
		settings.Problems[0].Instead != "it stays at 16 MiB" {
		t.Errorf("the settings are told with %+v, %v", settings.Problems, err)
	}
	lifted()
	change(base + "ram-size = \"20MiB\"\n")
	s.await("other memory, and no warning", func(st control.Status) bool {
		return st.Memory.BudgetBytes == 20*mib && !strings.Contains(strings.Join(st.Warnings, "\n"), "allow")
	})
	if !strings.Contains(s.log.String(), "event=1403") {
		t.Errorf("the log does not tell of it:\n%s", s.log.String())
	}
}

// dataBytes is what counts against RLIMIT_DATA (proc_pid_status(5), VmData).
func dataBytes(t *testing.T) uint64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmData:")
	var kib uint64
	if _, err := fmt.Sscan(line, &kib); err != nil {
		t.Fatalf("no VmData in %s", status)
	}
	return kib << 10
}

// A group that does not exist keeps nothing from starting: root alone reads the
// cache, and is told.
func TestUnknownSocketGroup(t *testing.T) {
	s, _ := runFromFile(t, "socket-group = \"no-such-group\"\nram-size = \"8MiB\"\ninterfaces = [\"none\"]\n")
	s.await("a warning", func(st control.Status) bool {
		return slices.ContainsFunc(st.Warnings, func(w string) bool { return strings.Contains(w, `there is no group "no-such-group"`) })
	})
	info, err := os.Stat(filepath.Join(s.dir, "PacketCache"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v", info.Mode())
	}
}
