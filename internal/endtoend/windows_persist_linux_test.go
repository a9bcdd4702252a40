package endtoend

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/control"
)

// sealedFile is where the Windows service keeps its cache.
const sealedFile = `C:\ProgramData\PacketCache\PacketCache.sealed`

// restored waits until what an earlier run has left is back.
func (w *windows) restored() control.Status {
	w.t.Helper()
	w.awaitInterface("wire0", control.InterfaceCapturing)
	return w.await("the restore", func(st control.Status) bool { return st.Persistence.State == control.PersistenceReady })
}

// What the Windows service has recorded is there after a stop and a start, packet
// by packet, and after a crash up to the last checkpoint.
func TestWindowsRestartKeepsPackets(t *testing.T) {
	const information = 4
	w := newWindows(t)
	tcpdump := startTcpdump(t, w.a)
	w.set("CheckpointInterval", "REG_SZ", "1s")
	w.startService("64MiB")
	w.restored()
	startRole(t, w.b, "server")
	from := w.mark("first")
	w.a.play(t, "client", plain4)
	to := w.mark("second")
	w.mustPcctl("stop")
	w.stopped("pcctl stop")
	if !reported(w.events(), information, 1501, sealedFile) {
		t.Errorf("no event CacheSaved: %+v", w.events())
	}
	if text, err := os.ReadFile(w.path(sealedFile)); err != nil || strings.Contains(string(text), to) {
		t.Errorf("the sealed file can be read, or cannot be opened: %v", err)
	}

	w.mustPcctl("start")
	st := w.restored()
	r := st.Persistence.Restore
	if r == nil || r.Packets == 0 || r.Missing.Packets != 0 || r.Checkpoint {
		t.Errorf("restored: %+v", r)
	}
	if !reported(w.events(), information, 1505, sealedFile, strconv.FormatUint(r.Packets, 10)) {
		t.Errorf("no event CacheRestored: %+v", w.events())
	}
	coverage(t, st, "start", "up", "stop", "start", "up")
	last := w.mark("third")
	saved := w.await("a checkpoint with the last packet", func(st control.Status) bool {
		return st.Persistence.LastSave != nil && st.Persistence.LastSave.Packets > r.Packets
	}).Persistence.LastSave
	all := sound(t, w.dump("--format", "pcapng"))
	likewise(t, "after the restart", between(t, "pcapng", all, from, to), between(t, "tcpdump", tcpdump.between(t, from, last), from, to))

	for _, pid := range w.processes() {
		must(t, "kill", "-9", strconv.Itoa(pid))
	}
	w.stopped("a kill")
	w.mustPcctl("start") // the service manager would, after a while
	st = w.restored()
	if r := st.Persistence.Restore; r == nil || !r.Checkpoint || r.Packets < saved.Packets {
		t.Errorf("restored after the kill: %+v, saved were %d packets", r, saved.Packets)
	}
	if !holds(t, w.dump(), last) {
		t.Error("after the kill the last packet is missing")
	}
	w.mustPcctl("clear", "--yes")
	if _, err := os.Stat(w.path(sealedFile)); err == nil {
		t.Error("after pcctl clear the file is still there")
	}
	if holds(t, w.dump(), from) {
		t.Error("after pcctl clear the packets are still there")
	}
}

// mark sends a text from end a of the wire, waits until it is recorded, and returns
// it as it was sent.
func (w *windows) mark(text string) string {
	w.t.Helper()
	text += " " + w.dir
	w.a.play(w.t, "send", net.JoinHostPort(plain4, "9"), text)
	eventually(w.t, "the packet in the dump", func() bool { return holds(w.t, w.dump(), text) })
	return text
}
