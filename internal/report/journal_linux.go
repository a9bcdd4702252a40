package report

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/sirupsen/logrus"

	"github.com/packetcache/packetcache/eventlog"
)

// journalSocket takes entries with fields (systemd.io, "Native Journal
// Protocol").
const journalSocket = "/run/systemd/journal/socket"

// A journal is the journal of systemd.
type journal struct {
	socket   string
	fallback io.Writer // for what the socket does not take

	mu   sync.Mutex
	conn *net.UnixConn
}

// OpenSystem opens the journal if it is what standard error is connected to,
// or returns ErrNone.
func OpenSystem() (Sink, error) {
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(os.Stderr.Fd()), &stat); err != nil {
		return nil, fmt.Errorf("standard error: %w", err)
	}
	// As systemd.exec(5) says to find out.
	if os.Getenv("JOURNAL_STREAM") != fmt.Sprintf("%d:%d", stat.Dev, stat.Ino) {
		return nil, ErrNone
	}
	return &journal{socket: journalSocket, fallback: os.Stderr}, nil
}

// Event implements Sink.
func (j *journal) Event(o eventlog.Occurrence) error {
	e := o.Event()
	entry := entryOf(priority(e.Severity), o.Text())
	entry = appendField(entry, "PACKETCACHE_EVENT", o.String())
	entry = appendField(entry, "PACKETCACHE_NAME", e.Name)
	entry = appendField(entry, "PACKETCACHE_CATEGORY", e.Category.String())
	for i, value := range o.Values() {
		if value != "" {
			entry = appendField(entry, "PACKETCACHE_"+strings.ToUpper(e.Inserts[i].Name), value)
		}
	}
	return j.send(entry, priority(e.Severity), fmt.Sprintf("%s (event %s)", o.Text(), o))
}

// Plain implements Sink.
func (j *journal) Plain(level logrus.Level, text string) error {
	p := 7
	if level <= logrus.InfoLevel {
		p = 6
	}
	return j.send(entryOf(p, text), p, text)
}

// priority is a level of syslog(3).
func priority(s eventlog.Severity) int {
	switch s {
	case eventlog.Error:
		return 3
	case eventlog.Warning:
		return 4
	default:
		return 6
	}
}

func entryOf(priority int, message string) []byte {
	entry := appendField(nil, "MESSAGE", message)
	entry = appendField(entry, "PRIORITY", strconv.Itoa(priority))
	return appendField(entry, "SYSLOG_IDENTIFIER", "packetcache")
}

// appendField adds a field. A value of several lines goes with its length.
func appendField(entry []byte, name, value string) []byte {
	entry = append(entry, name...)
	if strings.Contains(value, "\n") {
		entry = append(entry, '\n')
		entry = binary.LittleEndian.AppendUint64(entry, uint64(len(value)))
	} else {
		entry = append(entry, '=')
	}
	entry = append(entry, value...)
	return append(entry, '\n')
}

// send hands over an entry. What the socket does not take goes to standard
// error as a line, without its fields.
func (j *journal) send(entry []byte, priority int, line string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	for range 2 { // the second time for a journal that was started anew
		if j.conn == nil {
			if j.conn, err = net.DialUnix("unixgram", nil, &net.UnixAddr{Name: j.socket, Net: "unixgram"}); err != nil {
				break
			}
		}
		if _, err = j.conn.Write(entry); err == nil {
			return nil
		}
		_ = j.conn.Close()
		j.conn = nil
	}
	// The prefix is that of sd-daemon(3).
	_, err = fmt.Fprintf(j.fallback, "<%d>%s\n", priority, strings.ReplaceAll(line, "\n", " "))
	return err
}
