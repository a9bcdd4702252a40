package endtoend

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

// An event is one that was reported to the Event Log, as Wine traces it:
//
//	0164:fixme:advapi:ReportEventW (CAFE4242,0x0004,0x0002,0x0000044d,...): stub
//	0164:trace:eventlog:ReportEventW L"wire0"
type event struct {
	kind    int // EVENTLOG_ERROR_TYPE is 1, WARNING 2, INFORMATION 4
	id      int
	inserts []string
}

// The first group is the thread.
var (
	reportLine = regexp.MustCompile(`^(\w+):fixme:advapi:ReportEventW \(\w+,0x(\w+),0x\w+,0x(\w+),.*stub`)
	insertLine = regexp.MustCompile(`^(\w+):\w+:eventlog:ReportEventW L(".*")`)
)

// events are those that services have reported so far.
func (w *windows) events() (events []event) {
	last := map[string]int{} // of a thread, its place in events
	for line := range strings.Lines(w.printed()) {
		if m := reportLine.FindStringSubmatch(line); m != nil {
			kind, _ := strconv.ParseInt(m[2], 16, 32)
			id, _ := strconv.ParseInt(m[3], 16, 64)
			last[m[1]] = len(events)
			events = append(events, event{kind: int(kind), id: int(id)})
		} else if m := insertLine.FindStringSubmatch(line); m != nil && len(events) > 0 {
			e := &events[last[m[1]]]
			text, err := strconv.Unquote(m[2])
			if err != nil {
				text = m[2]
			}
			e.inserts = append(e.inserts, text)
		}
	}
	return events
}

// reported looks for an event, with its first inserts if some are given.
func reported(events []event, kind, id int, inserts ...string) bool {
	return slices.ContainsFunc(events, func(e event) bool {
		return e.kind == kind && e.id == id && len(e.inserts) >= len(inserts) && slices.Equal(e.inserts[:len(inserts)], inserts)
	})
}

// isDumpServed reports whether an event tells who got which dump.
func isDumpServed(e event) bool {
	return e.kind == 4 && e.id == 1201 && len(e.inserts) == 6 && strings.HasSuffix(e.inserts[0], `\root`) &&
		strings.HasSuffix(e.inserts[1], `\pcctl.exe`) && e.inserts[4] == "-"
}

// What happens is in the Event Log, under the numbers of the catalogue.
func TestWindowsEvents(t *testing.T) {
	const information, failure = 4, 1
	w := newWindows(t)
	w.startService("16MiB")
	version := strings.TrimSpace(strings.TrimPrefix(w.must(folder+"packetcache.exe", "--version"), "packetcache version "))
	w.awaitInterface("wire0", control.InterfaceCapturing)
	w.mustPcctl("dump", "-w", `C:\out.pcap`)
	w.mustPcctl("stop")
	w.stopped("pcctl stop")
	events := w.events()
	for what, found := range map[string]bool{
		"ServiceStarted": reported(events, information, 1001, version, strconv.Itoa(16<<20)),
		"CaptureStarted": reported(events, information, 1101, "wire0", "npcap", "Ethernet"),
		"DumpServed":     slices.ContainsFunc(events, isDumpServed),
		"CaptureStopped": reported(events, information, 1102, "wire0"),
		"ServiceStopped": reported(events, information, 1002),
	} {
		if !found {
			t.Errorf("no event %s", what)
		}
	}
	if slices.ContainsFunc(events, func(e event) bool { return e.kind != information }) {
		t.Error("there are warnings or errors")
	}

	// A filter that nobody understands would record what it was to keep out.
	const warning = 2
	w.set("CaptureFilter", "REG_SZ", "not hots 192.0.2.1")
	w.mustPcctl("start")
	eventually(t, "event SettingWrong", func() bool {
		return reported(w.events(), warning, 1302, `HKLM\SOFTWARE\PacketCache\CaptureFilter`)
	})
	w.mustPcctl("uninstall")

	w.must("sc", "create", "PacketCache", "binPath=", `"`+folder+`packetcache.exe" --replay C:\gone.pcap`)
	if stdout, stderr, code := w.pcctl("start"); code != 1 {
		t.Errorf("a start with a file that is not there: exit code %d\n%s%s", code, stdout, stderr)
	}
	if !reported(w.events(), failure, 1003) {
		t.Error("no event NotStarted")
	}
	if t.Failed() {
		t.Logf("%+v", w.events())
	}
}
