package pcctl

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const systemLog = "the journal"

// A journalEntry is what "journalctl -o json" prints of an entry
// (systemd.journal-fields(7)). Text that is not plain is an array of bytes.
type journalEntry struct {
	Message  json.RawMessage `json:"MESSAGE"`
	Realtime string          `json:"__REALTIME_TIMESTAMP"` // microseconds since 1970
	Event    string          `json:"PACKETCACHE_EVENT"`
}

// newestEvents are the newest n events of the service, the newest first.
func newestEvents(ctx context.Context, n int) ([]happened, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "journalctl", "--no-pager", "--quiet", "--reverse", "--output=json",
		"--output-fields=MESSAGE,PACKETCACHE_EVENT", "--identifier=packetcache")
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, withHint(fmt.Errorf("%w: %w", errNoLog, err),
			"without systemd the service writes to its standard error: look where that goes.")
	}
	list, err := readJournal(out, n)
	if len(list) == n { // there is more, which nobody wants
		cancel()
		_ = cmd.Wait()
		return list, nil
	}
	if err := cmd.Wait(); err != nil {
		return nil, withHint(fmt.Errorf("%w: journalctl: %w: %s", errNoLog, err, strings.TrimSpace(said.String())), hintElevate)
	}
	return list, err
}

// eventsHidden says what keeps this account from seeing events, which journalctl
// does not call an error.
func eventsHidden() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return "This account may not be allowed to see them: use sudo."
}

// readJournal reads entries until there are n events.
func readJournal(r io.Reader, n int) (list []happened, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for len(list) < n && lines.Scan() {
		var e journalEntry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return list, fmt.Errorf("%w: %w", errNoLog, err)
		}
		id, err := strconv.ParseUint(e.Event, 10, 16)
		if err != nil {
			continue // a line of the log that is no event
		}
		us, _ := strconv.ParseInt(e.Realtime, 10, 64)
		list = append(list, recorded(time.UnixMicro(us), uint16(id), nil, messageText(e.Message)))
	}
	return list, lines.Err()
}

func messageText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var numbers []int
	if json.Unmarshal(raw, &numbers) != nil {
		return ""
	}
	b := make([]byte, len(numbers))
	for i, n := range numbers {
		b[i] = byte(n)
	}
	return string(b)
}
