package pcctl

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const helpURL = "https://github.com/packetcache/packetcache/blob/main/docs/reading.md"

// extcapSentences name the interface.
func extcapSentences(version string) []string {
	return []string{
		fmt.Sprintf("extcap {version=%s}{help=%s}{display=PacketCache}", word(version), helpURL),
		fmt.Sprintf("interface {value=%s}{display=PacketCache}", extcapInterface),
	}
}

// extcapDLT is the link type that Wireshark is told. The file that comes is pcapng,
// in which each interface has its own.
const extcapDLT = "dlt {number=1}{name=EN10MB}{display=Ethernet}"

// An extcapArgument is a field of the dialog.
type extcapArgument struct {
	call, display, kind, tooltip string
	// extra are more elements, such as {default=true}.
	extra string
}

// extcapArguments are the fields of the dialog. The times are not saved, since they
// would be those of another day; a value that is the default is not passed on, so
// those are everything.
func extcapArguments(oldest, now time.Time) []string {
	if oldest.IsZero() {
		oldest = now.Add(-24 * time.Hour)
	}
	seconds := func(t time.Time) string {
		return fmt.Sprintf("{default=%s}{save=false}{group=What is kept}", strconv.FormatInt(t.Unix(), 10))
	}
	arguments := []extcapArgument{
		{"--since", "From", "timestamp", "Only packets from this time on. As it stands: everything that is kept.", seconds(oldest)},
		{"--until", "To", "timestamp", "Only packets up to this time.", seconds(now.Add(24 * time.Hour))},
		{"--last", "Only the last", "string", "Instead of a beginning, how far back: 90s, 30m, 2h or 3d.", `{placeholder=30m}{group=What is kept}`},
		{"--filter", "Filter", "string", "Only packets that match, as for tcpdump: see pcap-filter(7). The capture filter counts, too.", `{placeholder=host 192.0.2.7 and port 443}{group=What is kept}`},
		{"--follow", "Go on with what comes", "boolean", "Stay, like a capture. Otherwise it ends with what is kept.", "{default=true}{group=What comes}"},
	}
	lines := make([]string, 0, len(arguments))
	for i, a := range arguments {
		lines = append(lines, fmt.Sprintf("arg {number=%d}{call=%s}{display=%s}{type=%s}{tooltip=%s}%s", i, a.call, a.display, a.kind, a.tooltip, a.extra))
	}
	return lines
}

// word is text that cannot end an element of a sentence.
func word(s string) string { return strings.NewReplacer("{", "(", "}", ")").Replace(clean(s)) }
