package endtoend

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Windows is shut down while the service runs and traffic comes: the service is
// told so by the service manager, not by pcctl, seals its cache, and has it again
// when Windows has started the next time. That happens twice.
func TestWindowsShutdownKeepsPackets(t *testing.T) {
	const information = 4
	w := newWindows(t)
	tcpdump := startTcpdump(t, w.a)
	w.set("CheckpointInterval", "REG_SZ", "0")
	w.set("RamSize", "REG_SZ", "64MiB")
	w.mustPcctl("install", "--no-start")
	w.down()
	startRole(t, w.b, "server")

	w.boot()
	w.restored()
	from := w.mark("first")
	w.a.play(t, "client", plain4)
	to := w.mark("second")
	before, _ := w.status()
	w.shutDown()
	if events := w.events(); !reported(events, information, 1501, sealedFile) || !reported(events, information, 1002) {
		t.Errorf("the service did not end in order: %+v", events)
	}

	w.boot()
	st := w.restored()
	if r := st.Persistence.Restore; r == nil || r.Checkpoint || r.Missing.Packets != 0 || r.Packets < before.Totals.Stored.Packets {
		t.Errorf("restored: %+v, of %d packets", r, before.Totals.Stored.Packets)
	}
	coverage(t, st, "start", "up", "stop", "start", "up")
	last := w.mark("third")
	w.shutDown()

	w.boot()
	st = w.restored()
	coverage(t, st, "start", "stop", "start", "stop", "start")
	all := sound(t, w.dump("--format", "pcapng"))
	likewise(t, "after both", between(t, "pcapng", all, from, to), between(t, "tcpdump", tcpdump.between(t, from, last), from, to))
	if !holds(t, w.dump(), last) {
		t.Error("what came after the first shutdown is missing")
	}
}

// boot starts Windows, whose services start by themselves, with one program beside
// them. When that has ended, Windows shuts down: the wineserver does so a second
// after the end of the last program that is no service.
func (w *windows) boot() {
	w.t.Helper()
	log, err := os.OpenFile(filepath.Join(w.dir, "log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	defer log.Close()
	server := w.command("wineserver", "-p1")
	server.Stdout, server.Stderr = log, log
	if err := server.Run(); err != nil {
		w.t.Fatal("wineserver: ", err)
	}
	cmd := w.command("cmd", "/c", "wineboot & ping -n 3600 127.0.0.1")
	cmd.Env = append(cmd.Env, "WINEDEBUG=-all,+eventlog,fixme+advapi") // for services, see events
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = cmd.Wait() }() // it ends with Windows
	eventually(w.t, "the service, with Windows", func() bool { return len(w.processes()) > 0 })
}

// shutDown ends the program of boot, and returns when Windows is down.
func (w *windows) shutDown() {
	w.t.Helper()
	// Wine kills two seconds later whom it has told to end, however busy the machine
	// is with something else.
	for _, pid := range append(w.processes(), w.named("wineserver")...) {
		must(w.t, need(w.t, "chrt"), "--all-tasks", "--pid", "--fifo", "1", strconv.Itoa(pid))
	}
	release := w.holdServiceManager()
	for _, pid := range w.named("ping") {
		must(w.t, "kill", strconv.Itoa(pid))
	}
	eventually(w.t, "the end of the service", func() bool { return len(w.processes()) == 0 })
	release()
	eventually(w.t, "the end of Windows", func() bool { return len(w.named("wineserver")) == 0 })
}

// holdServiceManager keeps the service manager from ending before its services do,
// until release is called. Wine tells both at once that Windows shuts down, and a
// service that wants to know what it has to do asks the manager; Windows ends it
// last. Only the thread that waits for the end is stopped: others go on answering.
func (w *windows) holdServiceManager() (release func()) {
	w.t.Helper()
	managers := w.named("services.exe")
	if len(managers) != 1 {
		w.t.Fatalf("the service manager runs as the processes %v", managers)
	}
	held, over := make(chan syscall.Errno), make(chan struct{})
	go func() {
		runtime.LockOSThread() // who traces is a thread; it ends here, and lets go
		_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(managers[0]), 0, 0, 0, 0)
		if errno == 0 {
			_, _, errno = unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_INTERRUPT, uintptr(managers[0]), 0, 0, 0, 0)
		}
		held <- errno
		<-over
	}()
	if errno := <-held; errno != 0 {
		w.t.Fatal("the service manager cannot be held: ", errno)
	}
	return func() { close(over) }
}

// A run in a terminal seals its cache, too, when the window is closed, the user
// logs off or the machine shuts down: what each of them sealed, the next one has.
func TestWindowsSessionEndKeepsPackets(t *testing.T) {
	const kept = `C:\kept`
	w := newWindows(t)
	sender := filepath.Join(w.dir, "consoleevent.exe")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", sender, "./consoleevent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=windows", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build for Windows: %v\n%s", err, out)
	}
	var before, text string
	for _, end := range []struct {
		by    string
		event string // learn.microsoft.com, "HandlerRoutine callback function"
	}{{"close", "2"}, {"logoff", "5"}, {"shutdown", "6"}, {by: "the test"}} {
		run := begin(t, w.command(folder+"packetcache.exe", "--ram-size", "64MiB", "--checkpoint-interval", "0", "--data-dir", kept))
		st := w.restored()
		if before != "" {
			if r := st.Persistence.Restore; r == nil || r.Checkpoint || r.Missing.Packets != 0 || !holds(t, w.dump(), text) {
				t.Errorf("after %s was restored: %+v", before, r)
			}
		}
		if end.event == "" {
			return
		}
		before, text = end.by, end.by+" "+w.dir
		w.a.play(t, "send", net.JoinHostPort(plain4, "9"), text)
		eventually(t, "the packet in the dump", func() bool { return holds(t, w.dump(), text) })
		w.must(sender, strconv.Itoa(st.PID), end.event)
		if code := run.exitCode(t, stopsWithin); code != 0 {
			t.Errorf("%s ends it with exit code %d\n%s", end.by, code, run.log.String())
		}
	}
}
