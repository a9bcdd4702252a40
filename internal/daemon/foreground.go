package daemon

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/packetcache/packetcache/eventlog"
	"github.com/packetcache/packetcache/internal/config"
	"github.com/packetcache/packetcache/internal/ipc"
	"github.com/packetcache/packetcache/internal/vault"
	"github.com/packetcache/packetcache/internal/version"
)

// greet says what the service does and what to type next.
func (d *Daemon) greet(w io.Writer, dumps net.Addr) {
	what := "recording the packets of this machine's interfaces in"
	if d.replays != nil {
		what = "reading a capture file into"
		if n := len(d.replays.files); n > 1 {
			what = fmt.Sprintf("reading %d capture files into", n)
		}
	}
	fmt.Fprintf(w, "PacketCache %s is %s at most %s of RAM.\n", version.String(), what, config.FormatBytes(d.budget()))
	sudo := ""
	if os.Getenv("SUDO_USER") != "" && d.settings().SocketGroup == "" {
		sudo = "sudo " // another terminal is not root
	}
	pcctl := sudo + pcctlCommand(d.settings().EndpointDir)
	hints := [][2]string{
		{pcctl + " status", "what is recorded, and how far back it reaches"},
		{pcctl + " dump -w out.pcap", "everything, to open in Wireshark"},
	}
	if runtime.GOOS != "windows" {
		hints = append(hints, [2]string{sudo + "tshark -i " + dumps.String(), "or straight from the socket"})
	}
	fmt.Fprintf(w, "\nIn another terminal, type\n")
	widest := 0
	for _, h := range hints {
		widest = max(widest, len(h[0]))
	}
	for _, h := range hints {
		fmt.Fprintf(w, "  %-*s  %s\n", widest, h[0], h[1])
	}
	fmt.Fprintf(w, "\nCtrl+C ends it, and %s.\n\n", d.afterwards())
}

// afterwards says what becomes of what is recorded.
func (d *Daemon) afterwards() string {
	switch {
	case d.replays != nil:
		return "what was read is gone then"
	case d.keeper == nil:
		return "what was recorded is gone then; with --data-dir DIR it is kept there, encrypted"
	case !d.settings().Persist:
		return "what was recorded is gone then, since the setting persist says so"
	}
	return "what was recorded is sealed into " + filepath.Join(d.o.Loaded.DataDir, vault.Name) + " then, for the next time"
}

// pcctlCommand is how to call pcctl from here.
func pcctlCommand(endpointDir string) string {
	command := "pcctl"
	if exe, err := os.Executable(); err == nil {
		name := "pcctl" + filepath.Ext(exe)
		if beside := filepath.Join(filepath.Dir(exe), name); exists(beside) {
			command = beside
			if wd, err := os.Getwd(); err == nil {
				if near, err := filepath.Rel(wd, beside); err == nil && len(near) < len(beside) {
					command = near
				}
			}
		}
	}
	if strings.Contains(command, " ") {
		command = `"` + command + `"`
	}
	if endpointDir != "" && endpointDir != ipc.DefaultDir {
		command += " --endpoint-dir " + endpointDir
	}
	return command
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tell says something to whoever runs the service in the foreground.
func (d *Daemon) tell(format string, a ...any) {
	if d.o.Foreground != nil {
		fmt.Fprintf(d.o.Foreground, format+"\n", a...)
	}
}

// farewell sums up a run: also what a script reads that measures one.
func (d *Daemon) farewell() {
	stats := d.cache.Stats()
	var dropped uint64
	if d.loop != nil {
		for _, l := range d.loop.Status() {
			dropped += l.Dropped
		}
	}
	eventlog.ServiceStopped(time.Since(d.started).Round(time.Second), stats.Seen.Packets, dropped).Log(d.log)
	d.tell("%d packets captured, %d packets dropped", stats.Seen.Packets, dropped)
}
